// Command crontab runs CronTabs: it creates a Job each time the schedule of a CronTab comes due.
package main

import (
	"context"
	goflag "flag"
	"fmt"
	"os"
	"strings"
	_ "time/tzdata" // time zones, whatever the image has

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/examples/crontab/internal/crontab"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/client"
	"github.com/sluice-k8s/sluice/pkg/controller/manager"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
)

const help = `Runs CronTabs: creates a Job each time the schedule of a CronTab comes due.

The first SIGINT or SIGTERM stops the program when it has finished what it is at,
the second at once.

Usage:
  crontab [flags]

Flags:
`

type options struct {
	client  client.Options
	life    manager.Options
	crontab crontab.Config
}

func main() { manager.Main(crontab.Name, run) }

func run(ctx context.Context) error {
	options, err := parse(os.Args[1:])
	if err != nil {
		return err
	}
	clients, elector, err := options.life.Connect(options.client) // the clients write only while this process leads
	if err != nil {
		return err
	}
	stable, err := versioned.NewForConfigAndClient(clients.Config(), clients.HTTPClient())
	if err != nil {
		return err
	}
	c, err := crontab.New(clients.Typed, stable, options.crontab)
	if err != nil {
		return err
	}
	m, err := manager.New(manager.Config{
		Name:          crontab.Name,
		Informers:     []controller.Runner{c.CronTabs, c.Jobs},
		Controllers:   []controller.Runner{c},
		Recorders:     []controller.Runner{c.Events},
		Election:      elector,
		HealthAddress: options.life.HealthAddress,
	})
	if err != nil {
		return err
	}
	return m.Run(ctx)
}

func parse(args []string) (options, error) {
	o := options{
		client:  client.Options{UserAgent: crontab.Name},
		life:    manager.Options{LeaseName: crontab.Name},
		crontab: crontab.Config{Workers: 2},
	}
	flags := pflag.NewFlagSet("crontab", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.StringVarP(&o.crontab.Namespace, "namespace", "n", "", "the only namespace to work in (default all)")
	flags.IntVar(&o.crontab.Workers, "workers", o.crontab.Workers, "how many CronTabs are reconciled at the same time")
	o.life.AddFlags(flags)
	o.client.AddFlags(flags)
	flags.AddFlag(verbosity())
	flags.Usage = func() { fmt.Print(help, flags.FlagUsages()) }
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	switch namespace := o.crontab.Namespace; {
	case flags.NArg() > 0:
		return options{}, fmt.Errorf("unexpected argument %q; see --help", flags.Arg(0))
	case namespace != "" && len(validation.IsDNS1123Label(namespace)) > 0:
		return options{}, fmt.Errorf("--namespace %q is no name of a namespace: %s", namespace,
			strings.Join(validation.IsDNS1123Label(namespace), "; "))
	case o.crontab.Workers < 1:
		return options{}, fmt.Errorf("--workers is %d; it must be 1 or more", o.crontab.Workers)
	}
	return o, nil
}

// verbosity returns the flag -v of the components of Kubernetes.
func verbosity() *pflag.Flag {
	var flags goflag.FlagSet
	klog.InitFlags(&flags)
	return pflag.PFlagFromGoFlag(flags.Lookup("v"))
}
