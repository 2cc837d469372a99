package cache

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// Config configures a [Reflector] or an [Informer]. The zero value works; durations that are not positive count as zero, those over a
// day as a day.
type Config struct {
	// Name names the informer in logs and errors. Defaults to the type of its objects, such as "*v1.Pod".
	Name string

	// ListOptions changes the options of every list and watch request, for instance to set selectors. It must not
	// change the resource version, the limit or the continue token. Nil changes nothing.
	ListOptions func(*metav1.ListOptions)

	// PageSize is the most objects that one list request asks for. Negative means no limit. Defaults to 500.
	PageSize int64

	// WatchTimeout is how long a watch lasts until the server is to end it: randomly up to twice as long, so that the
	// watches of a restarted server drift apart. Rounded up to seconds. Defaults to 5 minutes.
	WatchTimeout time.Duration

	// Silence is how long a request may bring nothing, no object, no event, no bookmark, until it is given up and made anew.
	// API servers send a bookmark about every minute. Less makes a dead connection found sooner, at the price of new watches
	// where nothing happens. Defaults to 90 seconds.
	Silence time.Duration

	// InitialEventsTimeout is the same while a watch sends initial events, after which the server is taken for one that does
	// not know WatchList, and is listed. Defaults to 15 seconds.
	InitialEventsTimeout time.Duration

	// Server is what is known of the API server; informers of the same server are to share it. Nil means that this one learns
	// for itself.
	Server *Server

	// AuditInterval is the time between two comparisons of the cache with the server, give or take a tenth, by lists of what
	// there is and in which version. They find what a watch has missed through a fault of the server; then everything is
	// listed again. Defaults to no audits.
	AuditInterval time.Duration

	// MaxStaleness is how long an Informer is ready ([Informer.Ready]) without a sign that nothing is missing. Defaults to 5
	// minutes.
	MaxStaleness time.Duration

	// MinBackoff is the wait after a first failed request; it doubles with each further one up to MaxBackoff, and then
	// as much again is added at random. MaxBackoff also bounds a wait that the server asks for by Retry-After; the requests of
	// typed clients that are no [RESTSource] honour that themselves, without a bound. They default to 800 ms and 30 s, as in
	// client-go.
	MinBackoff, MaxBackoff time.Duration

	// NotifyUnchanged, of an Informer, makes also an object whose resource version has not changed an Updated event, with
	// Resync set: after a relist, or as client-go's fake clientsets send it. That is what client-go does.
	NotifyUnchanged bool

	// OnError, if not nil, is called with the error of each request that failed and with each that ended a watch, before the
	// wait that follows. It must return soon, and may be called until Run returns.
	OnError func(ctx context.Context, err error)

	// OnBatch, if not nil, is called by an Informer after each batch that it has applied and told its subscriptions of: for
	// metrics. It must return soon.
	OnBatch func(BatchStats)

	// Logger defaults to the logger in the context of Run.
	Logger klog.Logger

	// Clock times the waits. Defaults to the real clock.
	Clock clock.Clock
}

func (c Config) withDefaults(name string) Config {
	setDefault(&c.WatchTimeout, 5*time.Minute)
	setDefault(&c.Silence, 90*time.Second)
	setDefault(&c.InitialEventsTimeout, 15*time.Second)
	setDefault(&c.MaxStaleness, 5*time.Minute)
	setDefault(&c.MinBackoff, 800*time.Millisecond)
	setDefault(&c.MaxBackoff, 30*time.Second)
	c.WatchTimeout, c.MaxBackoff = min(c.WatchTimeout, longest), min(c.MaxBackoff, longest)
	c.AuditInterval = min(max(0, c.AuditInterval), longest)
	c.Silence, c.InitialEventsTimeout = min(c.Silence, longest), min(c.InitialEventsTimeout, longest)
	if c.Name == "" {
		c.Name = name
	}
	if c.PageSize == 0 {
		c.PageSize = 500
	}
	if c.ListOptions == nil {
		c.ListOptions = func(*metav1.ListOptions) {}
	}
	if c.Server == nil {
		c.Server = &Server{}
	}
	if c.Clock == nil {
		c.Clock = clock.RealClock{}
	}
	return c
}

// longest bounds durations, far from where adding two of them overflows.
const longest = 24 * time.Hour

func setDefault(field *time.Duration, value time.Duration) {
	if *field <= 0 {
		*field = value
	}
}

func (c Config) logger(ctx context.Context) klog.Logger {
	logger := c.Logger
	if logger.GetSink() == nil {
		logger = klog.FromContext(ctx)
	}
	return logger.WithValues("informer", c.Name)
}
