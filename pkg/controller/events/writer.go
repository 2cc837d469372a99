package events

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/answer"
	"github.com/sluice-k8s/sluice/pkg/internal/pause"
)

// A writer is a Recorder at work.
type writer struct {
	*Recorder

	logger  klog.Logger
	backoff time.Duration // the next pause
}

// run writes until the context is done and nothing is left, or the time to flush is over.
func (w *writer) run(ctx context.Context) {
	life, end := w.outlive(ctx)
	defer end()
	defer w.stop()
	stopping := ctx.Done()
	for life.Err() == nil {
		if ctx.Err() != nil && stopping != nil {
			stopping = nil
			w.end()
		}
		j, wait := w.next()
		switch {
		case j.series != nil:
			w.do(life, stopping, j)
		case stopping == nil:
			return
		default:
			w.idle(stopping, wait)
		}
	}
}

// outlive returns a context that ends when another has ended and the time to flush is over. It lives until the function is called.
func (w *writer) outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-ctx.Done():
			pause.For(life, w.config.Clock, w.config.FlushTimeout)
			cancel()
		case <-life.Done():
		}
	})
	return life, func() { cancel(); watch.Wait() }
}

// do writes, and pauses if that failed for now. The beginning of the end cuts the pause short, once.
func (w *writer) do(life context.Context, stopping <-chan struct{}, j job) {
	request, cancel := context.WithTimeout(life, w.config.RequestTimeout)
	err := j.write(request, w.config.Client.Events(j.namespace))
	cancel()
	o := classify(err, j.event == nil)
	if w.wrote(j, o) {
		w.backoff = w.config.MinBackoff
		if o == rejected {
			w.logger.Error(err, "An Event is refused and dropped", "event", klog.KRef(j.namespace, j.name))
		}
		return
	}
	wait := w.waitAfter(err)
	w.logger.V(2).Info("An Event can't be written now", "event", klog.KRef(j.namespace, j.name), "err", err, "wait", wait)
	w.sleep(life, stopping, wait)
}

// waitAfter returns how long to wait after an error.
func (w *writer) waitAfter(err error) time.Duration {
	asked, _ := answer.RetryAfter(err)
	wait := max(w.backoff, asked)
	w.backoff = min(2*w.backoff, w.config.MaxBackoff)
	return wait + rand.N(wait/4+1)
}

// idle waits until there may be something to write. A negative wait has no end.
func (w *writer) idle(stopping <-chan struct{}, wait time.Duration) {
	var over <-chan time.Time
	if wait >= 0 {
		timer := w.config.Clock.NewTimer(wait)
		defer timer.Stop()
		over = timer.C()
	}
	select {
	case <-w.wake:
	case <-over:
	case <-stopping:
	}
}

// sleep waits for a while, or until one of the two ends. A nil channel never does.
func (w *writer) sleep(ctx context.Context, stopping <-chan struct{}, wait time.Duration) {
	timer := w.config.Clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-stopping:
	case <-ctx.Done():
	}
}

// A job is one write of a series as it was when the job was made.
type job struct {
	series          *series
	count           int
	namespace, name string
	event           *eventsv1.Event // to be created, or nil
	patch           []byte
}

func newJob(s *series, config Config) job {
	j := job{series: s, count: s.count, namespace: s.namespace(), name: s.name}
	if s.created {
		j.patch = s.patch()
	} else {
		j.event = s.event(config)
	}
	return j
}

// A client writes the Events of a namespace.
type client interface {
	Create(ctx context.Context, event *eventsv1.Event, options metav1.CreateOptions) (*eventsv1.Event, error)
	Patch(ctx context.Context, name string, kind types.PatchType, data []byte, options metav1.PatchOptions,
		subresources ...string) (*eventsv1.Event, error)
}

func (j job) write(ctx context.Context, client client) error {
	if j.event != nil {
		_, err := client.Create(ctx, j.event, metav1.CreateOptions{})
		return err
	}
	_, err := client.Patch(ctx, j.name, types.MergePatchType, j.patch, metav1.PatchOptions{})
	return err
}
