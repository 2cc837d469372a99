package cachetest_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/cachetest"
	"github.com/sluice-k8s/sluice/pkg/cache/transform"
)

type podEvent = cache.Event[*corev1.Pod]

func newPod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: name, ResourceVersion: "7",
			Labels: map[string]string{"app": "shop"}, CreationTimestamp: metav1.NewTime(time.Unix(1, 0)),
		},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{
				Name: "main", Image: "nginx",
				Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse("1000m")}},
			}},
			Volumes: []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{
				EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: new(resource.MustParse("1024Mi"))},
			}}},
			TerminationGracePeriodSeconds: new(int64(30)),
		},
	}
}

// cached returns an object that has passed the detector.
func cached[T cache.Object](tb testing.TB, d *cachetest.MutationDetector[T], obj T) T {
	tb.Helper()
	obj, err := d.Transform()(obj)
	if err != nil {
		tb.Fatal(err)
	}
	return obj
}

func TestAuditFindsEveryKindOfWrite(t *testing.T) {
	for want, write := range map[string]func(*corev1.Pod){
		"metadata.name":                              func(p *corev1.Pod) { p.Name = "other" },
		`metadata.labels["app"]`:                     func(p *corev1.Pod) { p.Labels["app"] = "other" },
		`metadata.labels metadata.labels["new"]`:     func(p *corev1.Pod) { p.Labels["new"] = "" },
		"metadata.labels":                            func(p *corev1.Pod) { delete(p.Labels, "app") },
		"metadata.annotations":                       func(p *corev1.Pod) { p.Annotations = map[string]string{} },
		"metadata.creationTimestamp":                 func(p *corev1.Pod) { p.CreationTimestamp = metav1.NewTime(time.Unix(2, 0)) },
		"spec.containers[0].image":                   func(p *corev1.Pod) { p.Spec.Containers[0].Image = "other" },
		"spec.containers":                            func(p *corev1.Pod) { p.Spec.Containers = p.Spec.Containers[:0] },
		"spec.terminationGracePeriodSeconds":         func(p *corev1.Pod) { *p.Spec.TerminationGracePeriodSeconds = 1 },
		"spec.volumes[0].emptyDir.sizeLimit":         func(p *corev1.Pod) { p.Spec.Volumes[0].EmptyDir.SizeLimit.Set(1) },
		`spec.containers[0].resources.limits["cpu"]`: func(p *corev1.Pod) { p.Spec.Containers[0].Resources.Limits["cpu"] = resource.MustParse("2") },
		"status.phase":                               func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed },
	} {
		t.Run(want, func(t *testing.T) {
			d := cachetest.NewMutationDetector[*corev1.Pod]()
			pod := cached(t, d, newPod("web"))
			write(pod)
			found := d.Audit()
			if len(found) != 1 || strings.Join(found[0].Fields, " ") != want {
				t.Fatalf("found %v", found)
			}
			if m := found[0]; m.Key.Name != "web" || m.ResourceVersion != "7" || m.Handlers != nil {
				t.Errorf("found %+v", m)
			}
			if again := d.Audit(); len(again) != 1 {
				t.Errorf("found again: %v", again)
			}
			runtime.KeepAlive(pod)
		})
	}
}

// Reading in all the ways that there are is no mutation, whatever types do inside.
func TestReadingIsNoMutation(t *testing.T) {
	d := cachetest.DetectMutations[*corev1.Pod](t)
	pod := cached(t, d, newPod("web"))
	_ = pod.String()
	_ = pod.DeepCopy()
	_ = pod.Spec.Volumes[0].EmptyDir.SizeLimit.String()
	_ = pod.Spec.Volumes[0].EmptyDir.SizeLimit.AsDec()
	_ = pod.CreationTimestamp.Local()
	if _, err := pod.Marshal(); err != nil {
		t.Fatal(err)
	}
	runtime.KeepAlive(pod)
}

func TestHandlerIsNamed(t *testing.T) {
	d := cachetest.NewMutationDetector[*corev1.Pod]()
	pod, old := cached(t, d, newPod("new")), cached(t, d, newPod("old"))
	event := podEvent{Type: cache.Updated, Object: pod, Old: old}
	d.Handler("good", func(context.Context, podEvent) {})(t.Context(), event)
	d.Handler("bad", func(_ context.Context, e podEvent) { e.Old.Labels["x"] = "" })(t.Context(), event)
	d.Handler("late", func(context.Context, podEvent) {})(t.Context(), event)
	if found := d.Audit(); len(found) != 1 || !slices.Equal(found[0].Handlers, []string{"bad"}) || found[0].Key.Name != "old" {
		t.Errorf("found %v", found)
	}
	runtime.KeepAlive(event)
}

// A change between handlers is nobody's, as far as one can know.
func TestUnknownWriter(t *testing.T) {
	d := cachetest.NewMutationDetector[*corev1.Pod]()
	pod := cached(t, d, newPod("web"))
	event := podEvent{Type: cache.Added, Object: pod}
	handler := d.Handler("innocent", func(context.Context, podEvent) {})
	handler(t.Context(), event)
	pod.Labels["x"] = ""
	handler(t.Context(), event)
	if found := d.Audit(); len(found) != 1 || len(found[0].Handlers) != 0 {
		t.Errorf("found %v", found)
	}
}

// When two had the object, both are named; one who gave it back in order before is not.
func TestHandlersAtTheSameTime(t *testing.T) {
	d := cachetest.NewMutationDetector[*corev1.Pod]()
	event := podEvent{Type: cache.Added, Object: cached(t, d, newPod("web"))}
	var outer, inner cache.Handler[*corev1.Pod]
	inner = d.Handler("inner", func(_ context.Context, e podEvent) { e.Object.Labels["x"] = "" })
	before := d.Handler("before", func(context.Context, podEvent) {})
	outer = d.Handler("outer", func(ctx context.Context, e podEvent) { before(ctx, e); inner(ctx, e) })
	outer(t.Context(), event)
	if found := d.Audit(); len(found) != 1 || !slices.Equal(found[0].Handlers, []string{"inner", "outer"}) {
		t.Errorf("found %v", found)
	}
}

func TestHandlerThatPanicsIsNamed(t *testing.T) {
	d := cachetest.NewMutationDetector[*corev1.Pod]()
	event := podEvent{Type: cache.Added, Object: cached(t, d, newPod("web"))}
	func() {
		defer func() { _ = recover() }()
		d.Handler("bad", func(_ context.Context, e podEvent) { e.Object.Name = ""; panic("oops") })(t.Context(), event)
	}()
	if found := d.Audit(); len(found) != 1 || !slices.Equal(found[0].Handlers, []string{"bad"}) {
		t.Errorf("found %v", found)
	}
}

// What objects share is reported for each that has it.
func TestSharedPart(t *testing.T) {
	d := cachetest.NewMutationDetector[*corev1.Pod]()
	chain := transform.Chain(transform.Share[*corev1.Pod](), d.Transform())
	a, _ := chain(newPod("a"))
	b, _ := chain(newPod("b"))
	a.Spec.Containers[0].Image = "other"
	if found := d.Audit(); len(found) != 2 {
		t.Errorf("found %v", found)
	}
	runtime.KeepAlive(b)
}

// A source that sends an object again after somebody wrote into it does not hide that.
func TestObjectThatComesAgain(t *testing.T) {
	d := cachetest.NewMutationDetector[*corev1.Pod]()
	pod := cached(t, d, newPod("web"))
	d.Handler("bad", func(_ context.Context, e podEvent) {
		e.Object.Labels["x"] = ""
		cached(t, d, e.Object)
	})(t.Context(), podEvent{Object: pod})
	cached(t, d, pod)
	if found := d.Audit(); len(found) != 1 || !slices.Equal(found[0].Handlers, []string{"bad"}) || d.Len() != 1 {
		t.Errorf("found %v in %d objects", found, d.Len())
	}
}

func TestUnstructuredObjects(t *testing.T) {
	d := cachetest.NewMutationDetector[*unstructured.Unstructured]()
	u := cached(t, d, &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": "web"}, "spec": map[string]any{"list": []any{int64(1), "s"}},
	}})
	if err := unstructured.SetNestedSlice(u.Object, []any{"1", "s"}, "spec", "list"); err != nil {
		t.Fatal(err)
	}
	want := []string{`Object["spec"]["list"][0]`}
	if found := d.Audit(); len(found) != 1 || !slices.Equal(found[0].Fields, want) {
		t.Errorf("found %v", found)
	}
}

// The values of a Secret are in no report.
func TestReportsHoldNoValues(t *testing.T) {
	d := cachetest.NewMutationDetector[*corev1.Secret]()
	secret := cached(t, d, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "token"}, Data: map[string][]byte{"key": []byte("hush")}})
	secret.Data["key"][0] = 'r'
	if found := fmt.Sprint(d.Audit()); strings.Contains(found, "ush") || !strings.Contains(found, `data["key"]`) {
		t.Error(found)
	}
}

// What left the cache is neither held nor remembered.
func TestGarbageIsForgotten(t *testing.T) {
	d := cachetest.NewMutationDetector[*corev1.Pod]()
	gone := make(chan struct{})
	func() {
		pod := cached(t, d, newPod("web"))
		runtime.AddCleanup(pod, func(done chan struct{}) { close(done) }, gone)
	}()
	runtime.GC()
	<-gone
	d.Audit()
	if n := d.Len(); n != 0 {
		t.Errorf("%d objects are remembered", n)
	}
}

// Also if nobody audits, garbage is forgotten from time to time.
func TestMemoryIsBounded(t *testing.T) {
	d := cachetest.NewMutationDetector[*corev1.Pod]()
	for i := range 6000 {
		cached(t, d, &corev1.Pod{})
		if i%500 == 0 {
			runtime.GC()
		}
	}
	if n := d.Len(); n > 3000 {
		t.Errorf("%d objects are remembered", n)
	}
}

func TestDetectMutationsFailsTheTest(t *testing.T) {
	recorder := &recorder{TB: t}
	d := cachetest.DetectMutations[*corev1.Pod](recorder)
	pod := cached(t, d, newPod("web"))
	pod.Labels["x"] = ""
	recorder.cleanup()
	want := `object "default/web" at resource version "7" was changed in the cache by an unknown writer: ` +
		`metadata.labels, metadata.labels["x"]`
	if len(recorder.errors) != 1 || recorder.errors[0] != want {
		t.Errorf("got %q", recorder.errors)
	}
	runtime.KeepAlive(pod)
}

// A recorder is a test that takes note of its errors.
type recorder struct {
	testing.TB
	cleanup func()
	errors  []string
}

func (r *recorder) Helper()           {}
func (r *recorder) Cleanup(f func())  { r.cleanup = f }
func (r *recorder) Error(args ...any) { r.errors = append(r.errors, fmt.Sprint(args...)) }

// Handlers, transforms and audits may run at the same time.
func TestConcurrentUse(t *testing.T) {
	d := cachetest.DetectMutations[*corev1.Pod](t)
	var workers sync.WaitGroup
	for _, name := range []string{"a", "b"} {
		workers.Go(func() {
			handler := d.Handler(name, func(_ context.Context, e podEvent) { _ = e.Object.String() })
			for range 50 {
				handler(t.Context(), podEvent{Object: cached(t, d, newPod(name))})
				d.Audit()
			}
		})
	}
	workers.Wait()
}
