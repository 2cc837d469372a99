package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/lease"
)

// Config configures a [Manager]. Name is required. What has a method Name() string is called so in logs and health pages, with #2 and
// so on where that would be the same; other runners go by their place in the list. A method Ready() error is called often, and must
// not wait.
type Config struct {
	// Name names the program in logs and errors.
	Name string

	// Informers run from the beginning, also on a standby, and are stopped last: informers, a factory, its leases. Those that
	// have a method WaitForSync(context.Context) error, as these all do, are waited for before any controller runs. One that ends
	// before it is stopped has failed; so has a recorder.
	Informers []controller.Runner

	// Controllers run when the informers have synced and, with Election, while this process leads.
	Controllers []controller.Runner

	// Unelected are controllers that need no lease: they run on standbys, too.
	Unelected []controller.Runner

	// Recorders run from the beginning, and are stopped when the controllers have ended, before the lease is given up: what
	// sends events, for instance. They are to send what they have when their context ends, and then return.
	Recorders []controller.Runner

	// Election, if not nil, says when this process leads. The manager runs it.
	Election *lease.Elector

	// HealthAddress is where [Manager.Handler] is served: host and port, or a colon and a port for all addresses. Port 0 is any
	// that is free. Defaults to nowhere.
	HealthAddress string

	// StopOnFailure stops everything when a runner fails, which is when it returns an error or panics. Else the others go on, and
	// the program is not ready.
	StopOnFailure bool

	// GracePeriod is how long all of the stop may take. Then Run returns [ErrGracePeriod] whether or not everything has ended.
	// It should be longer than those of the controllers, which run at the same time. Defaults to 28 s of the 30 s that a Pod
	// gets; negative means no bound.
	GracePeriod time.Duration

	// Logger defaults to the logger in the context of Run.
	Logger klog.Logger

	// Clock times the grace period. Defaults to the real clock.
	Clock clock.Clock
}

func (c Config) withDefaults() Config {
	c.GracePeriod = cmp.Or(c.GracePeriod, 28*time.Second)
	if c.Clock == nil {
		c.Clock = clock.RealClock{}
	}
	return c
}

// Validate returns an error that names the field that is wrong and what it may be. [New] returns it, too.
func (c Config) Validate() error {
	if c.Name == "" {
		return errors.New("manager: Config.Name is empty; it names the program in logs and errors")
	}
	if c.HealthAddress != "" {
		if _, _, err := net.SplitHostPort(c.HealthAddress); err != nil {
			return fmt.Errorf("manager %q: Config.HealthAddress: %w", c.Name, err)
		}
	}
	for _, list := range []struct {
		field   string
		runners []controller.Runner
	}{{"Informers", c.Informers}, {"Controllers", c.Controllers}, {"Unelected", c.Unelected}, {"Recorders", c.Recorders}} {
		if n := slices.Index(list.runners, nil); n >= 0 {
			return fmt.Errorf("manager %q: Config.%s[%d] is nil", c.Name, list.field, n)
		}
	}
	return nil
}

func (c Config) logger(ctx context.Context) klog.Logger {
	logger := c.Logger
	if logger.GetSink() == nil {
		logger = klog.FromContext(ctx)
	}
	return logger.WithValues("manager", c.Name)
}
