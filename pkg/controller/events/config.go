package events

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	eventsv1 "k8s.io/client-go/kubernetes/typed/events/v1"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// Config configures a [Recorder]. Client and Controller are required.
type Config struct {
	// Client writes the Events, for instance EventsV1() of a clientset. It needs the right to create and to patch
	// resource events of group events.k8s.io in the namespaces of the objects, and in namespace default for objects that
	// have none.
	Client eventsv1.EventsGetter

	// Controller is the reportingController of all Events, a qualified name like "crontab" or "example.com/crontab".
	Controller string

	// Instance is the reportingInstance of all Events, 128 bytes at most. Defaults to the name of the host, which is the
	// name of the Pod.
	Instance string

	// Scheme says which kind an object is that does not say so itself, as typed objects of a cache don't. Built-in
	// kinds are always known; those of a generated clientset are known to its scheme.Scheme. Nil knows none but the
	// built-in ones.
	Scheme runtime.ObjectTyper

	// Window is how long an Event stays open for equal ones: events of which each comes within Window of the one before
	// become one. Defaults to 6 min.
	Window time.Duration

	// UpdateInterval is how long the recorder waits, after it has written an Event, before it writes the same Event
	// again with a new count. Defaults to 1 min.
	UpdateInterval time.Duration

	// Similar is how many different notes of the same object, type, reason and action become Events of their own. Those
	// that follow become one, until there was none for SimilarWindow. They default to 10 and 10 min. A negative Similar
	// means no bound.
	Similar       int
	SimilarWindow time.Duration

	// Burst is how many new Events an object may get at once, and Refill the time after which it may get one more. They
	// default to 25 and 5 min. A negative Burst means no bound. Equal and combined events cost nothing once their Event is
	// there.
	Burst  int
	Refill time.Duration

	// Buffer is how many Events wait for the API server at most; new ones are then dropped, equal ones still counted.
	// Defaults to 1000.
	Buffer int

	// Memory is how many Events, groups of similar ones, and objects are remembered at most, each. The least recently used
	// is forgotten first: an equal event then makes a new Event. Defaults to 4096.
	Memory int

	// RequestTimeout bounds each request. Defaults to 10 s.
	RequestTimeout time.Duration

	// MinBackoff and MaxBackoff bound the pause after a write that failed for now; it doubles from one failure to the
	// next and is made longer by up to a quarter at random. They default to 1 s and 30 s. A server that names a longer
	// pause gets it, up to 2 min.
	MinBackoff, MaxBackoff time.Duration

	// RetryFor is for how long a write is tried. Defaults to 10 min.
	RetryFor time.Duration

	// FlushTimeout is how long Run goes on writing after its context is done. Defaults to 5 s; negative means not at all.
	FlushTimeout time.Duration

	// Logger defaults to the logger in the context of Run.
	Logger klog.Logger

	// Clock tells the time of Events and makes the waits; requests are timed by the real clock. Defaults to the real clock.
	Clock clock.Clock
}

func (c Config) withDefaults() Config {
	c.Instance = cmp.Or(c.Instance, host())
	c.Window = cmp.Or(c.Window, 6*time.Minute)
	c.UpdateInterval = cmp.Or(c.UpdateInterval, time.Minute)
	c.Similar = cmp.Or(c.Similar, 10)
	c.SimilarWindow = cmp.Or(c.SimilarWindow, 10*time.Minute)
	c.Burst = cmp.Or(c.Burst, 25)
	c.Refill = cmp.Or(c.Refill, 5*time.Minute)
	c.Buffer = cmp.Or(c.Buffer, 1000)
	c.Memory = cmp.Or(c.Memory, 4096)
	c.RequestTimeout = cmp.Or(c.RequestTimeout, 10*time.Second)
	c.MinBackoff = cmp.Or(c.MinBackoff, time.Second)
	c.MaxBackoff = cmp.Or(c.MaxBackoff, max(30*time.Second, c.MinBackoff))
	c.RetryFor = cmp.Or(c.RetryFor, 10*time.Minute)
	c.FlushTimeout = cmp.Or(c.FlushTimeout, 5*time.Second)
	if c.Clock == nil {
		c.Clock = clock.RealClock{}
	}
	return c
}

func host() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "unknown"
	}
	return truncate(name, maxName)
}

// Validate returns an error that names the field that is wrong and what it may be. [New] returns it, too.
func (c Config) Validate() error {
	switch {
	case c.Client == nil:
		return errors.New("events: Config.Client is nil; it writes the Events")
	case c.Controller == "":
		return errors.New("events: Config.Controller is empty; it says who reports")
	case len(c.Instance) > maxName:
		return fmt.Errorf("events: Config.Instance has %d bytes; it may have %d", len(c.Instance), maxName)
	case c.MaxBackoff > 0 && c.MaxBackoff < c.MinBackoff:
		return fmt.Errorf("events: Config.MaxBackoff is %v; it must be MinBackoff (%v) or more", c.MaxBackoff, c.MinBackoff)
	}
	if wrong := validation.IsQualifiedName(c.Controller); len(wrong) > 0 {
		return fmt.Errorf("events: Config.Controller is %q: %s", c.Controller, strings.Join(wrong, "; "))
	}
	return c.validateSigns()
}

func (c Config) validateSigns() error {
	durations := map[string]time.Duration{
		"Window": c.Window, "UpdateInterval": c.UpdateInterval, "SimilarWindow": c.SimilarWindow, "Refill": c.Refill,
		"RequestTimeout": c.RequestTimeout, "MinBackoff": c.MinBackoff, "MaxBackoff": c.MaxBackoff, "RetryFor": c.RetryFor,
	}
	for field, value := range durations {
		if value < 0 {
			return fmt.Errorf("events: Config.%s is %v; it must be positive, or 0 for the default", field, value)
		}
	}
	for field, value := range map[string]int{"Buffer": c.Buffer, "Memory": c.Memory} {
		if value < 0 {
			return fmt.Errorf("events: Config.%s is %d; it must be 1 or more, or 0 for the default", field, value)
		}
	}
	return nil
}
