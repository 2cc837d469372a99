package bench

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// A source is an API server whose events are decoded already: it lists all pods in their first version, and streams what
// is sent to it. Streams end only when they are stopped.
type source struct {
	fleet   fleet
	made    int // pods after the listed ones
	stream  chan watch.Event
	watches atomic.Int64
}

func newSource(fleet fleet) *source {
	return &source{fleet: fleet, stream: make(chan watch.Event, watch.DefaultChanSize)}
}

// next makes n events. They take turns over all pods, whose versions begin with 2.
func (s *source) next(n int) []watch.Event {
	events := make([]watch.Event, n)
	for i := range events {
		number, version := s.made%int(s.fleet), s.made/int(s.fleet)+2
		s.made++
		events[i] = watch.Event{Type: watch.Modified, Object: s.pod(number, version, s.listVersion()+s.made)}
	}
	return events
}

// pod tells its number and version by its generation.
func (s *source) pod(number, version, resourceVersion int) *corev1.Pod {
	pod := s.fleet.pod(number, resourceVersion)
	pod.Generation = int64(version)<<numberBits | int64(number)
	return pod
}

const numberBits = 32

func decode(generation int64) (number, version int) {
	return int(generation & (1<<numberBits - 1)), int(generation >> numberBits)
}

// listVersion is that of the pod which was created last.
func (s *source) listVersion() int { return int(s.fleet) }

func (s *source) list() []*corev1.Pod {
	pods := make([]*corev1.Pod, s.fleet)
	for number := range pods {
		pods[number] = s.pod(number, 1, number+1)
	}
	return pods
}

func (s *source) watch() watch.Interface {
	s.watches.Add(1)
	return &stream{events: s.stream}
}

type stream struct {
	events chan watch.Event
	stop   sync.Once
}

func (s *stream) ResultChan() <-chan watch.Event { return s.events }
func (s *stream) Stop()                          { s.stop.Do(func() { close(s.events) }) }

// A sluiceSource is a source as Sluice reads it.
type sluiceSource struct{ *source }

func (s sluiceSource) List(context.Context, metav1.ListOptions) (cache.Page[*corev1.Pod], error) {
	return cache.Page[*corev1.Pod]{Items: s.list(), ResourceVersion: strconv.Itoa(s.listVersion())}, nil
}

func (s sluiceSource) Watch(context.Context, metav1.ListOptions) (watch.Interface, error) {
	return s.watch(), nil
}

// A clientGoSource is a source as client-go reads it.
type clientGoSource struct{ *source }

func (s clientGoSource) List(metav1.ListOptions) (runtime.Object, error) {
	list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: strconv.Itoa(s.listVersion())}}
	for _, pod := range s.list() {
		list.Items = append(list.Items, *pod)
	}
	return list, nil
}

func (s clientGoSource) Watch(metav1.ListOptions) (watch.Interface, error) { return s.watch(), nil }

// IsWatchListSemanticsUnSupported has the reflector list, and then watch.
func (s clientGoSource) IsWatchListSemanticsUnSupported() bool { return true }
