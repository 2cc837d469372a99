package cache

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/protocol"
	"github.com/sluice-k8s/sluice/pkg/internal/pause"
)

// A Reflector keeps a [Sink] up to date with an API server: it asks for all objects, then for changes, and goes on whatever
// happens to its requests. docs/protocol.md says what it does after what. Create one with [NewReflector].
type Reflector[T Object] struct {
	source     Streamer[T]
	sink       Sink[T]
	known      Known[T]           // nil if the sink does not tell what it knows
	prepare    func(T) (T, error) // nil if the sink does not prepare objects
	config     Config
	machine    protocol.Machine
	status     status
	interrupts chan error // why the next watch is to end
	slow       bool       // a WatchList has brought nothing in time
	doubtful   bool       // WatchList was not answered as it must be, and no list has come since; of Run
	told       bool       // that the versions have gone back was found in another namespace
}

// NewReflector returns a Reflector that reads from source, as a [Streamer] if it is one, into sink.
func NewReflector[T Object](source ListerWatcher[T], sink Sink[T], config Config) *Reflector[T] {
	r := &Reflector[T]{source: streamer(source), sink: sink, config: config.withDefaults(typeName[T]()), interrupts: make(chan error, 1)}
	if known, ok := sink.(Known[T]); ok && !config.NotifyUnchanged {
		r.known = known
	}
	if sink, ok := sink.(preparer[T]); ok {
		r.prepare = sink.usable
	}
	r.status.init(r.config)
	return r
}

func typeName[T Object]() string { return reflect.TypeFor[T]().String() }

// Run reads until the context is done; only then it returns. Call it once.
func (r *Reflector[T]) Run(ctx context.Context) {
	ctx = klog.NewContext(ctx, r.config.logger(ctx))
	defer r.status.disconnected()
	for next := r.machine.First(); r.wait(ctx, next); {
		next = r.resolve(next)
		outcome, err := r.do(ctx, next)
		if ctx.Err() != nil {
			return
		}
		r.learn(outcome, err)
		if outcome.Ending == protocol.Behind {
			r.told = errors.Is(err, errBehindElsewhere)
		}
		next = r.machine.Next(outcome)
		r.report(ctx, outcome, err)
	}
}

// learn remembers that the server does not know WatchList, once it has answered a list instead. What it refuses in any form,
// such as a selector that is wrong, says nothing of WatchList, and must not cost all who share what is known of the server.
func (r *Reflector[T]) learn(outcome protocol.Outcome, err error) {
	switch {
	case outcome.Mode == protocol.WatchList && errors.Is(err, errSilent):
		r.doubtful, r.slow = r.slow, true // once it may just have been slow
	case outcome.Mode == protocol.WatchList && outcome.Ending == protocol.Unsupported:
		r.doubtful = true
	case outcome.Mode == protocol.List && outcome.Ending == protocol.Complete && r.doubtful:
		r.config.Server.forgoWatchList(r.config.Clock.Now())
		r.doubtful = false
	}
}

// Relist asks for all objects again, at the server's most recent version, as soon as a watch is open: for an audit that
// has found a difference. It may be called at any time.
func (r *Reflector[T]) Relist() { r.interrupt(errDiverged) }

// interrupt ends the next watch, or the one that is open. If one is to be ended anyway, a new epoch is the better reason.
func (r *Reflector[T]) interrupt(why error) {
	for {
		select {
		case r.interrupts <- why:
			return
		default:
		}
		if !errors.Is(why, ErrNewEpoch) {
			return
		}
		r.forgo()
	}
}

// forgo takes an interruption back.
func (r *Reflector[T]) forgo() {
	select {
	case <-r.interrupts: //nolint:errcheck // it is a reason, no failure
	default:
	}
}

// Status returns what the Reflector has done so far. It may be called at any time.
func (r *Reflector[T]) Status() Status { return r.status.get() }

// wait waits as long as the request demands. It returns false when the context is done.
func (r *Reflector[T]) wait(ctx context.Context, next protocol.Request) bool {
	return pause.For(ctx, r.config.Clock, r.delay(next))
}

// delay returns the time to wait: at least as much as the server asked for, within the limit, and up to twice as long, lest
// all clients come back together.
func (r *Reflector[T]) delay(next protocol.Request) time.Duration {
	delay := time.Duration(0)
	if next.Wait > 0 {
		delay = r.config.MinBackoff
		for n := 1; n < next.Wait && delay < r.config.MaxBackoff; n++ {
			delay *= 2
		}
	}
	delay = min(max(delay, next.RetryAfter), r.config.MaxBackoff)
	if delay <= 0 {
		return 0
	}
	return delay + rand.N(delay)
}

// resolve chooses how to ask for all objects.
func (r *Reflector[T]) resolve(next protocol.Request) protocol.Request {
	if next.Mode != protocol.Refresh {
		return next
	}
	next.Mode = protocol.List
	if r.source.SendsInitialEvents() && r.config.Server.mayWatchList(r.config.Clock.Now()) {
		next.Mode = protocol.WatchList
	}
	return next
}

// do makes a request and says how it ended.
func (r *Reflector[T]) do(ctx context.Context, next protocol.Request) (protocol.Outcome, error) {
	r.status.asking(next)
	deadline := newDeadline(ctx, r.config.Clock)
	outcome, err := r.ask(deadline, next)
	deadline.stop()
	if why := deadline.interrupted; why != nil && endingOf(why) != outcome.Ending { // it ended just before, by itself
		r.interrupt(why)
	}
	return outcome, err
}

func (r *Reflector[T]) ask(deadline *deadline, next protocol.Request) (protocol.Outcome, error) {
	switch next.Mode {
	case protocol.List:
		return r.list(deadline, next)
	case protocol.Probe:
		return r.probe(deadline)
	case protocol.WatchList:
		return r.watchList(deadline, next)
	default:
		return r.watch(deadline, next)
	}
}

// request returns a request for the source.
func (r *Reflector[T]) request(opts metav1.ListOptions, next protocol.Request) Request[T] {
	r.config.ListOptions(&opts)
	request := Request[T]{ListOptions: opts}
	if r.known != nil && next.Mode != protocol.Watch && !next.Afresh { // versions of another epoch mean nothing
		request.Known = r.inCache
	}
	return request
}

// inCache returns the object that is cached in just this version.
func (r *Reflector[T]) inCache(id Identity) (T, bool) {
	if cached, ok := r.known.Get(id.Key); ok && id.ResourceVersion != "" && IdentityOf(cached) == id {
		return cached, true
	}
	var none T
	return none, false
}

func (r *Reflector[T]) report(ctx context.Context, outcome protocol.Outcome, err error) {
	r.status.ended(outcome, err)
	logger := klog.FromContext(ctx)
	if err != nil {
		if r.config.OnError != nil {
			r.config.OnError(ctx, err)
		}
		logger.Info("Will try again", "err", err, "ending", outcome.Ending, "failures", r.machine.Failures())
		return
	}
	logger.V(4).Info("Request ended", "ending", outcome.Ending, "resourceVersion", outcome.Version)
}

// skip counts what can't be used, and goes on.
func (r *Reflector[T]) skip(ctx context.Context, why error) {
	r.status.skipped()
	klog.FromContext(ctx).Info("Skipped", "err", why)
}
