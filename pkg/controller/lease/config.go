package lease

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// A Client reads and writes the Leases of a namespace. The LeaseInterface of client-go's coordination/v1 client is one. Its methods
// must return when their context ends. It should have a limit of requests per second of its own, so that renewals don't wait behind
// other requests.
type Client interface {
	Get(ctx context.Context, name string, options metav1.GetOptions) (*coordinationv1.Lease, error)
	Create(ctx context.Context, lease *coordinationv1.Lease, options metav1.CreateOptions) (*coordinationv1.Lease, error)
	Update(ctx context.Context, lease *coordinationv1.Lease, options metav1.UpdateOptions) (*coordinationv1.Lease, error)
}

// Config configures an [Elector]. Client and Name are required. Who contends for a Lease is to have the same Duration,
// RenewDeadline and RetryPeriod.
type Config struct {
	// Client reads and writes the Lease. It says which namespace that is in.
	Client Client

	// Name is the name of the Lease object, which is made if there is none. All who contend use the same.
	Name string

	// Identity is what the Lease names its holder by, at most 253 bytes. It must differ from that of any other process. Two that
	// have the same, one after the other, wait for each other's lease to expire. Defaults to the host's name and a random suffix.
	Identity string

	// Duration is how long the others wait for a leader that gives no sign, in whole seconds, as the Lease has it. A standby waits
	// for the longer of what the Lease says and of its own. Defaults to 15 s.
	Duration time.Duration

	// RenewDeadline is how long the leader may write without having renewed the lease, counted from before the last request
	// was sent that renewed it. Then the lease is lost. By what Duration is longer is the margin for clocks that run at different
	// speed and for requests that are under way. One request for the lease may take half of it. Must be less than Duration.
	// Defaults to 10 s.
	RenewDeadline time.Duration

	// RetryPeriod is the time between two attempts to get the lease, or up to a fifth more, and between two renewals. Must be less
	// than half of RenewDeadline. Defaults to 2 s.
	RetryPeriod time.Duration

	// Logger defaults to the logger in the context of Run.
	Logger klog.Logger

	// Clock tells the time and makes the waits; requests are timed by the real clock. What it returns from Now should have a
	// monotonic reading. Defaults to the real clock.
	Clock clock.Clock
}

// The defaults of a Config.
const (
	DefaultDuration      = 15 * time.Second
	DefaultRenewDeadline = 10 * time.Second
	DefaultRetryPeriod   = 2 * time.Second
)

func (c Config) withDefaults() Config {
	if c.Identity == "" {
		c.Identity = newIdentity()
	}
	c.Duration = cmp.Or(c.Duration, DefaultDuration)
	c.RenewDeadline = cmp.Or(c.RenewDeadline, DefaultRenewDeadline)
	c.RetryPeriod = cmp.Or(c.RetryPeriod, DefaultRetryPeriod)
	if c.Clock == nil {
		c.Clock = clock.RealClock{}
	}
	return c
}

// newIdentity returns a name for this process that no other has, with the host's in front, for people.
func newIdentity() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "_" + rand.String(12)
}

// Validate returns an error that names the field that is wrong and what it may be. [New] returns it, too.
func (c Config) Validate() error {
	c = c.withDefaults()
	switch {
	case c.Client == nil:
		return errors.New("lease: Config.Client is nil")
	case c.Name == "":
		return errors.New("lease: Config.Name is empty; it names the Lease object")
	case len(validation.IsDNS1123Subdomain(c.Name)) > 0:
		return fmt.Errorf("lease: Config.Name %q is no name of a Lease: %s", c.Name,
			strings.Join(validation.IsDNS1123Subdomain(c.Name), "; "))
	case len(c.Identity) > maxIdentity:
		return fmt.Errorf("lease: Config.Identity has %d bytes; it must have %d or fewer", len(c.Identity), maxIdentity)
	case c.Duration < time.Second || c.Duration%time.Second != 0 || c.Duration > longest:
		return fmt.Errorf("lease: Config.Duration is %v; it must be whole seconds, from 1s to %v, or 0 for the default", c.Duration, longest)
	case c.RenewDeadline <= 0 || c.RenewDeadline >= c.Duration:
		return fmt.Errorf("lease: Config.RenewDeadline is %v; it must be positive and less than Duration (%v), or 0 for the default",
			c.RenewDeadline, c.Duration)
	case c.RetryPeriod <= 0 || c.RetryPeriod >= c.RenewDeadline/2:
		return fmt.Errorf("lease: Config.RetryPeriod is %v; it must be positive and less than half of RenewDeadline (%v), "+
			"or 0 for the default", c.RetryPeriod, c.RenewDeadline)
	}
	return nil
}

const (
	maxIdentity = 253            // as long as names of Kubernetes are
	longest     = 24 * time.Hour // a Duration; far from overflow
)
