package clientgo

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// A detective is a mutation detector that writes down what it is shown.
type detective struct {
	shown []string
	ended bool
}

func (d *detective) AddObject(obj any) {
	pod := obj.(*corev1.Pod)
	d.shown = append(d.shown, pod.Name+" on "+pod.Spec.NodeName)
}

func (d *detective) Run(stop <-chan struct{}) {
	<-stop
	d.ended = true
}

// The mutation detector, which client-go turns on by the environment of the process, is shown what is cached, after the
// transform, and runs as long as the informer.
func TestMutationDetectorIsShownWhatIsCached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := watch.NewRaceFreeFake()
		pod := func(name string) corev1.Pod { return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}} }
		p := newPipeline(&cache.ListWatch{
			ListWithContextFunc: func(context.Context, metav1.ListOptions) (runtime.Object, error) {
				return &corev1.PodList{Items: []corev1.Pod{pod("a")}}, nil
			},
			WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) { return stream, nil },
		}, &corev1.Pod{}, settings{transform: func(obj any) (any, error) {
			obj.(*corev1.Pod).Spec.NodeName = "n"
			return obj, nil
		}})
		detector := &detective{}
		p.detector = detector
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { p.run(ctx); close(done) }()
		synctest.Wait()
		stream.Modify(new(pod("b")))
		synctest.Wait()
		cancel()
		<-done
		if want := []string{"a on n", "b on n"}; !slices.Equal(detector.shown, want) || !detector.ended {
			t.Errorf("it was shown %q, and ended: %t", detector.shown, detector.ended)
		}
	})
}
