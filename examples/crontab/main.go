// Command crontab runs CronTabs: it creates a Job each time the schedule of a CronTab comes due.
package main

import (
	"context"
	"errors"
	goflag "flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // time zones, whatever the image has

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/examples/crontab/internal/crontab"
	"github.com/sluice-k8s/sluice/pkg/controller/client"
)

const help = `Runs CronTabs: creates a Job each time the schedule of a CronTab comes due.

The API server is that of --kubeconfig, else of the cluster that the program
runs in, else of $KUBECONFIG, else of ~/.kube/config. The first SIGINT or
SIGTERM stops the program when it has finished what it is at, the second at
once.

Usage:
  crontab [flags]

Flags:
`

type options struct {
	kubeconfig string
	namespace  string
	workers    int
}

func main() {
	err := run(os.Args[1:])
	klog.Flush()
	if err != nil && !errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "crontab:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal does what signals do by default

	options, err := parse(args)
	if err != nil {
		return err
	}
	config, err := client.Load(client.Options{Kubeconfig: options.kubeconfig, UserAgent: crontab.Name})
	if err != nil {
		return err
	}
	controller, err := crontab.New(crontab.Config{
		Client:    config,
		Namespace: options.namespace,
		Workers:   options.workers,
	})
	if err != nil {
		return err
	}
	klog.FromContext(ctx).Info("Starting", "server", config.Host, "namespace", options.namespace, "workers", options.workers)
	defer klog.FromContext(ctx).Info("Stopped")
	return controller.Run(ctx)
}

func parse(args []string) (options, error) {
	var o options
	flags := pflag.NewFlagSet("crontab", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "path of the kubeconfig file that says where the API server is")
	flags.StringVarP(&o.namespace, "namespace", "n", "", "the only namespace to work in (default all)")
	flags.IntVar(&o.workers, "workers", 2, "how many CronTabs are reconciled at the same time")
	flags.AddFlag(verbosity())
	flags.Usage = func() { fmt.Print(help, flags.FlagUsages()) }
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	switch {
	case flags.NArg() > 0:
		return options{}, fmt.Errorf("unexpected argument %q; see --help", flags.Arg(0))
	case o.namespace != "" && len(validation.IsDNS1123Label(o.namespace)) > 0:
		return options{}, fmt.Errorf("--namespace %q is no name of a namespace: %s", o.namespace,
			strings.Join(validation.IsDNS1123Label(o.namespace), "; "))
	case o.workers < 1:
		return options{}, fmt.Errorf("--workers is %d; it must be 1 or more", o.workers)
	}
	return o, nil
}

// verbosity returns the flag -v of the components of Kubernetes.
func verbosity() *pflag.Flag {
	var flags goflag.FlagSet
	klog.InitFlags(&flags)
	return pflag.PFlagFromGoFlag(flags.Lookup("v"))
}
