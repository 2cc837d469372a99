package lease

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/pkg/internal/pause"
)

// An Elector gets a Lease, keeps it while the program leads, and gives it up. Create one with [New]; its methods may be called
// concurrently.
type Elector struct {
	config  Config
	now     func() instant
	random  func(below time.Duration) time.Duration
	fence   *Fence
	started atomic.Bool

	mu      sync.Mutex
	machine machine
	held    context.Context // the fence's, while it is open; nil before
	since   time.Time       // when it was opened
	trouble error           // of the last attempt
}

// New returns an Elector, or an error that names the field of the config that is wrong. It does nothing until [Elector.Run].
func New(config Config) (*Elector, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	now := reader(config.Clock.Now)
	return &Elector{
		config:  config,
		now:     now,
		random:  rand.N[time.Duration], //nolint:gosec // no secret
		fence:   newFence(config, now),
		machine: machine{name: config.Name, identity: config.Identity, duration: config.Duration},
	}, nil
}

// Fence returns what tells whether this process may write.
func (e *Elector) Fence() *Fence { return e.fence }

// Run waits until it has got the lease, calls lead, and renews the lease until lead returns, however long that takes. The
// context of lead ends when ctx does, or when the lease is lost: then its cause wraps [ErrLost]. When lead has returned the fence
// is closed, and the lease is given up if the server still has this process as its holder.
//
// Run returns the error of lead; nil if ctx was done before it led; and an error that wraps ErrLost, besides that of lead, if the
// lease was lost. The program should end then: what it knows may be as old as the last renewal. A second call returns
// [ErrStarted].
func (e *Elector) Run(ctx context.Context, lead func(ctx context.Context) error) error {
	if e.started.Swap(true) {
		return fmt.Errorf("lease %q: %w", e.config.Name, ErrStarted)
	}
	ctx = klog.NewContext(ctx, e.logger(ctx))
	e.fence.explain(errAsking)
	defer e.fence.explain(errEnded)
	defer e.fence.close(errEnded)
	if held := e.acquire(ctx); held != nil {
		return e.hold(ctx, held, lead)
	}
	e.release(ctx)
	return nil
}

func (e *Elector) logger(ctx context.Context) klog.Logger {
	logger := e.config.Logger
	if logger.GetSink() == nil {
		logger = klog.FromContext(ctx)
	}
	return logger.WithValues("lease", e.config.Name, "identity", e.config.Identity)
}

// acquire returns a context that ends when the lease is lost, nil if ctx was done before it was acquired.
func (e *Elector) acquire(ctx context.Context) context.Context {
	for ctx.Err() == nil {
		e.attempt(ctx)
		if held := e.holding(); held != nil {
			klog.FromContext(ctx).Info("Acquired the lease")
			return held
		}
		pause.For(ctx, e.config.Clock, e.jittered())
	}
	return nil
}

func (e *Elector) holding() context.Context {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.held
}

// jittered returns a wait that keeps those who contend from asking in step.
func (e *Elector) jittered() time.Duration {
	return e.config.RetryPeriod + e.random(e.config.RetryPeriod/5+1)
}

// hold leads, and keeps the lease meanwhile.
func (e *Elector) hold(ctx, held context.Context, lead func(context.Context) error) error {
	err := e.leadWhileHeld(ctx, held, lead)
	if held.Err() != nil {
		return errors.Join(fmt.Errorf("lease %q: %w", e.config.Name, context.Cause(held)), err)
	}
	e.fence.close(errEnded)
	e.release(ctx)
	return err
}

func (e *Elector) leadWhileHeld(ctx, held context.Context, lead func(context.Context) error) error {
	leading, end := context.WithCancelCause(ctx)
	defer end(nil)
	unlink := context.AfterFunc(held, func() { end(context.Cause(held)) })
	defer unlink()

	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	var keepers sync.WaitGroup
	keepers.Go(func() { e.renew(keeping, held) })
	keepers.Go(func() { e.watch(keeping, held) })
	defer keepers.Wait()
	defer stop()
	return lead(leading)
}

// renew renews the lease in time. An attempt that takes longer than the period is followed by the next at once.
func (e *Elector) renew(ctx, held context.Context) {
	for wait := e.config.RetryPeriod; pause.For(ctx, e.config.Clock, wait) && held.Err() == nil; {
		began := e.config.Clock.Now()
		e.attempt(ctx)
		if by := e.overtaken(); by != nil {
			e.lose(ctx, by)
			return
		}
		wait = e.config.RetryPeriod - e.config.Clock.Since(began)
	}
}

// overtaken says who has taken the lease from this process, nil if nobody has.
func (e *Elector) overtaken() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.machine.overtaken() {
		return nil
	}
	return e.machine.heldBy()
}

// glance is how often the clocks are compared with the deadline: a timer does not tell that the machine was asleep.
const glance = time.Second

// watch loses the lease when it was not renewed in time, also if a request for it hangs.
func (e *Elector) watch(ctx, held context.Context) {
	for held.Err() == nil {
		left := e.fence.remaining()
		if left <= 0 {
			e.lose(ctx, e.notRenewed())
			return
		}
		if !pause.For(ctx, e.config.Clock, min(left, glance)) {
			return
		}
	}
}

func (e *Elector) notRenewed() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.trouble != nil {
		return fmt.Errorf("it was not renewed for %v: %w", e.config.RenewDeadline, e.trouble)
	}
	return fmt.Errorf("it was not renewed for %v", e.config.RenewDeadline)
}

func (e *Elector) lose(ctx context.Context, reason error) {
	if e.fence.close(fmt.Errorf("%w: %w", ErrLost, reason)) {
		klog.FromContext(ctx).Error(reason, "Lost the lease")
	}
}
