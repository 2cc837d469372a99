package manager

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag" //nolint:depguard // this is where programs parse flags
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/pkg/controller/client"
	"github.com/sluice-k8s/sluice/pkg/controller/lease"
)

// Options are what a program's flags say about its life. The zero value works: no election, no health pages.
type Options struct {
	// LeaderElect makes [Options.Elect] return an elector.
	LeaderElect bool

	// LeaseName and LeaseNamespace say which Lease is contended for. The namespace defaults to that of the Pod.
	LeaseName, LeaseNamespace string

	// LeaseDuration, RenewDeadline and RetryPeriod are those of [lease.Config], with its defaults.
	LeaseDuration, RenewDeadline, RetryPeriod time.Duration

	// HealthAddress is [Config.HealthAddress].
	HealthAddress string
}

// AddFlags adds flags that set the options. What the options are now are the defaults. The names are those of Kubernetes'
// components (k8s.io/component-base/config/options); that of the health address is kubebuilder's.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	o.LeaseDuration = cmp.Or(o.LeaseDuration, lease.DefaultDuration)
	o.RenewDeadline = cmp.Or(o.RenewDeadline, lease.DefaultRenewDeadline)
	o.RetryPeriod = cmp.Or(o.RetryPeriod, lease.DefaultRetryPeriod)
	flags.BoolVar(&o.LeaderElect, "leader-elect", o.LeaderElect,
		"work only while leading, so that further replicas stand by")
	flags.DurationVar(&o.LeaseDuration, "leader-elect-lease-duration", o.LeaseDuration,
		"how long standbys wait for a leader that gives no sign, in whole seconds")
	flags.DurationVar(&o.RenewDeadline, "leader-elect-renew-deadline", o.RenewDeadline,
		"how long the leader goes on without renewing its lease; less than the lease duration")
	flags.DurationVar(&o.RetryPeriod, "leader-elect-retry-period", o.RetryPeriod,
		"the time between two attempts to get or renew the lease; less than half of the renew deadline")
	flags.StringVar(&o.LeaseName, "leader-elect-resource-name", o.LeaseName,
		"name of the Lease")
	flags.StringVar(&o.LeaseNamespace, "leader-elect-resource-namespace", o.LeaseNamespace,
		"namespace of the Lease (default that of the Pod)")
	flags.StringVar(&o.HealthAddress, "health-probe-bind-address", o.HealthAddress,
		"where /livez and /readyz are served, such as :8081 (default nowhere)")
}

// Elect returns an elector for [Config.Election], and puts its fence into the config: clients that are made from it from now on
// can write only while this process leads. Its own client is made before. Without LeaderElect it returns nil and does nothing.
func (o *Options) Elect(config *rest.Config) (*lease.Elector, error) {
	if !o.LeaderElect {
		return nil, nil //nolint:nilnil // that is how Config.Election says that there is none
	}
	if o.LeaseName == "" {
		return nil, errors.New("leader election needs a name for its Lease: set --leader-elect-resource-name")
	}
	namespace, err := o.namespace(podNamespace)
	if err != nil {
		return nil, err
	}
	leases, err := coordinationv1.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for the lease: %w", err)
	}
	elector, err := lease.New(lease.Config{
		Client: leases.Leases(namespace), Name: o.LeaseName,
		Duration: o.LeaseDuration, RenewDeadline: o.RenewDeadline, RetryPeriod: o.RetryPeriod,
	})
	if err != nil {
		return nil, err
	}
	config.Wrap(elector.Fence().Wrap)
	return elector, nil
}

// Connect returns all that a program reads and writes with: the clients of the API server that [client.Load] finds, and an elector as
// [Options.Elect] makes it. The clients can write only while this process leads; without LeaderElect the elector is nil, and they
// always can.
func (o *Options) Connect(server client.Options) (*client.Clients, *lease.Elector, error) {
	config, err := client.Load(server)
	if err != nil {
		return nil, nil, err
	}
	elector, err := o.Elect(config)
	if err != nil {
		return nil, nil, err
	}
	clients, err := client.New(config)
	return clients, elector, err
}

// podNamespace is a file in each Pod that has a service account.
const podNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

func (o *Options) namespace(file string) (string, error) {
	if o.LeaseNamespace != "" {
		return o.LeaseNamespace, nil
	}
	content, err := os.ReadFile(file)
	if name := strings.TrimSpace(string(content)); err == nil && name != "" {
		return name, nil
	}
	return "", errors.New("leader election needs a namespace for its Lease: set --leader-elect-resource-namespace, or run in a Pod")
}
