package bench

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	clientgo "k8s.io/client-go/tools/cache"

	dropin "github.com/sluice-k8s/sluice/pkg/cache/clientgo"
)

// A pipeline opens an informer with an index by node, which reads from the source and gives every state of a pod to each
// of the handlers. It returns how to stop the informer; that waits.
type pipeline func(tb testing.TB, from *source, handlers []*handler) (stop func())

type pipelineImplementation struct {
	name    string
	open    pipeline
	isFloor bool
}

func pipelineImplementations() []pipelineImplementation {
	return []pipelineImplementation{
		{name: "sluice", open: openSluiceInformer},
		{name: "client-go", open: clientGoInformers(clientgo.NewSharedIndexInformer)},
		{name: "sluice-clientgo", open: clientGoInformers(dropin.NewSharedIndexInformer)},
		{name: "floor", open: openFloor, isFloor: true},
	}
}

// A pipelineContest lets implementations do the same work.
type pipelineContest struct {
	variant  string
	handlers int
	size     int // in pods
	lap      int // in events; up to size no two are of the same pod, so that none can be merged
}

func (c pipelineContest) run(b *testing.B) {
	for _, implementation := range pipelineImplementations() {
		var race *race // of all calls of the benchmark, as pods that are listed are not measured
		b.Run(join("impl="+implementation.name, c.variant), func(sub *testing.B) {
			sub.ReportAllocs()
			if race == nil {
				race = c.start(b, implementation.open)
				race.wait(sub)
			}
			race.run(sub, c.lap)
		})
		if race != nil {
			race.stop()
		}
	}
}

// A race is an informer with its handlers.
type race struct {
	from     *source
	handlers []*handler
	stop     func()
}

// start opens an informer, and expects the pods that are listed.
func (c pipelineContest) start(tb testing.TB, open pipeline) *race {
	tb.Helper()
	r := &race{from: newSource(fleet(c.size))}
	for range c.handlers {
		r.handlers = append(r.handlers, newHandler(c.size))
	}
	r.expect(c.size)
	r.stop = open(tb, r.from, r.handlers)
	return r
}

func (r *race) expect(events int) {
	for _, h := range r.handlers {
		h.expected += events
	}
}

// run measures the time from one event to the next, each handler having seen the last state of every pod at the end.
//
// They come in laps, so that the pods of each can be made while no time is taken, and none has to be changed or sent
// twice. A lap is over when every handler has seen the last version of each pod: an informer may merge the versions of a
// pod while a handler is busy, but for a pod that is missing, and for one that comes late, the handler waits. How many
// calls there were for an event, of all handlers together, is reported as calls/event.
func (r *race) run(b *testing.B, longest int) {
	for _, h := range r.handlers {
		h.calls = 0
	}
	b.ResetTimer()
	for left := b.N; left > 0; {
		b.StopTimer()
		lap := r.from.next(min(left, longest))
		r.expect(len(lap))
		b.StartTimer()
		for _, event := range lap {
			r.from.stream <- event
		}
		r.wait(b)
		left -= len(lap)
	}
	b.StopTimer()
	r.report(b)
}

// wait returns when all handlers have seen what they expect.
func (r *race) wait(b *testing.B) {
	timeout := time.NewTimer(time.Minute)
	defer timeout.Stop()
	for i, h := range r.handlers {
		select {
		case <-h.done:
		case <-timeout.C:
			b.Fatalf("handler %d has not seen the last version of every pod after a minute", i)
		}
	}
}

func (r *race) report(b *testing.B) {
	calls := 0
	for i, h := range r.handlers {
		calls += h.calls
		if h.wrong != nil {
			b.Errorf("handler %d: %v", i, h.wrong)
		}
	}
	b.ReportMetric(float64(calls)/float64(b.N), "calls/event")
	if got := r.from.watches.Load(); got != 1 {
		b.Errorf("the source was watched %d times, want once", got)
	}
}

// A handler checks what an informer calls it with.
//
// Each event raises the version of a pod by one. So the sum of all steps between the versions that the handler was called
// with is the number of events whose outcome it knows.
type handler struct {
	versions []int // seen last, by the pod's number
	known    int   // events
	expected int   // changes only before the events are sent
	calls    int
	wrong    error
	done     chan struct{} // receives when known reaches expected
}

func newHandler(size int) *handler {
	return &handler{versions: make([]int, size), done: make(chan struct{}, 1)}
}

func (h *handler) handle(pod *corev1.Pod) {
	number, version := decode(pod.Generation)
	step := version - h.versions[number]
	if step <= 0 && h.wrong == nil {
		h.wrong = fmt.Errorf("pod %d went from version %d to %d", number, h.versions[number], version)
	}
	h.versions[number] = version
	h.known += step
	h.calls++
	if h.known == h.expected {
		h.done <- struct{}{}
	}
}
