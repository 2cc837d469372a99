package events

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/klog/v2"
)

// A Recorder writes Events about objects. Its methods may be called concurrently. A nil Recorder records nothing, for
// tests of code that records.
type Recorder struct {
	config  Config
	kinds   kinds
	started atomic.Bool
	wake    chan struct{} // holds one if there may be something to write

	mu         sync.Mutex
	correlator *correlator // guarded by mu
}

// New returns a recorder, or an error that names the field of the config that is wrong. It writes nothing until
// [Recorder.Run].
func New(config Config) (*Recorder, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	return &Recorder{
		config:     config,
		kinds:      kinds{config.Scheme},
		wake:       make(chan struct{}, 1),
		correlator: newCorrelator(config),
	}, nil
}

// Name returns what a recorder is called in logs and health pages.
func (r *Recorder) Name() string { return "events" }

// Normal records that something went as it should. See [Recorder.Record].
func (r *Recorder) Normal(regarding runtime.Object, reason, action, note string) {
	r.Record(Event{Regarding: regarding, Type: corev1.EventTypeNormal, Reason: reason, Action: action, Note: note})
}

// Warning records that something did not. See [Recorder.Record].
func (r *Recorder) Warning(regarding runtime.Object, reason, action, note string) {
	r.Record(Event{Regarding: regarding, Type: corev1.EventTypeWarning, Reason: reason, Action: action, Note: note})
}

// Record records an event. It never waits and never fails: what can't be written is dropped, and counted in
// [Recorder.Status]. It keeps nothing of the objects but references. It may be called before Run.
func (r *Recorder) Record(event Event) {
	if r == nil {
		return
	}
	h, ok := event.happen(r.kinds)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !ok {
		r.correlator.invalid()
		return
	}
	r.correlator.observe(r.config.Clock.Now(), h)
	if r.correlator.ready.len() > 0 {
		r.signal()
	}
}

func (r *Recorder) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Status says what has happened so far.
func (r *Recorder) Status() Status {
	if r == nil {
		return Status{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.correlator.status.clone()
}

// Run writes what is recorded until the context is done. It then writes what it has, counts included, for
// [Config.FlushTimeout] at most, and returns nil; what is recorded until then is written too. Stop it after the controllers
// that record, and before the lease is given back. A second call returns [ErrStarted].
func (r *Recorder) Run(ctx context.Context) error {
	if r.started.Swap(true) {
		return ErrStarted
	}
	w := &writer{Recorder: r, logger: r.logger(ctx), backoff: r.config.MinBackoff}
	w.run(ctx)
	return nil
}

func (r *Recorder) logger(ctx context.Context) klog.Logger {
	if r.config.Logger.GetSink() == nil {
		return klog.FromContext(ctx)
	}
	return r.config.Logger
}

// next takes a series that is to be written, and its number of events, or returns how long to wait for one.
func (r *Recorder) next() (job, time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, wait := r.correlator.next(r.config.Clock.Now())
	if s == nil {
		return job{}, wait
	}
	return newJob(s, r.config), 0
}

// wrote hands back what came of a job.
func (r *Recorder) wrote(j job, o outcome) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.correlator.wrote(r.config.Clock.Now(), j.series, j.count, o)
}

func (r *Recorder) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.correlator.end(r.config.Clock.Now())
}

func (r *Recorder) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.correlator.stop(r.config.Clock.Now())
}
