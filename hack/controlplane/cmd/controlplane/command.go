package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/sluice-k8s/sluice/hack/controlplane"
)

// command is one run of one of the commands.
type command struct {
	name           string
	stdout, stderr io.Writer
}

func (c command) build(ctx context.Context, args []string) error {
	flags := c.flags("", "Compiles the control plane into the cache, unless it is there.")
	if err := c.parse(flags, args); err != nil {
		return err
	}
	bin, err := controlplane.Build(ctx, controlplane.Options{Log: c.stderr})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "Kubernetes %s and etcd %s are in %s\n", bin.Kubernetes, bin.Etcd, bin.Dir)
	return nil
}

func (c command) up(ctx context.Context, args []string) error {
	o := controlplane.Options{Log: c.stderr}
	flags := c.flags("--dir DIR [flags]", `Starts a control plane that lives on until "controlplane down". If it runs
already with these flags, nothing changes; with others, that is an error. If a
part of it has died, the rest is stopped and a new one starts without its data.`)
	flags.StringVar(&o.Dir, "dir", "", "`DIR` that holds the control plane, made if absent (required)")
	flags.StringVar(&o.AuditLog, "audit-log", "", "`FILE` that gets a line of JSON for every request, at level Metadata")
	flags.Func("feature-gates", "`GATES` in the form A=true,B=false", func(text string) (err error) {
		o.FeatureGates, err = controlplane.ParseFeatureGates(text)
		return err
	})
	if err := c.parse(flags, args, "dir"); err != nil {
		return err
	}
	kubeconfig, err := controlplane.Up(ctx, o)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.stdout, kubeconfig)
	return nil
}

func (c command) down(ctx context.Context, args []string) error {
	flags := c.flags("--dir DIR", "Stops a control plane and removes its data and keys. Logs stay.")
	dir := flags.String("dir", "", "`DIR` that holds the control plane (required)")
	if err := c.parse(flags, args, "dir"); err != nil {
		return err
	}
	return controlplane.Down(ctx, *dir)
}

func (c command) status(ctx context.Context, args []string) error {
	flags := c.flags("--dir DIR", "Tells how the parts of a control plane are. The exit status is 0 if all are\nhealthy, else 1.")
	dir := flags.String("dir", "", "`DIR` that holds the control plane (required)")
	if err := c.parse(flags, args, "dir"); err != nil {
		return err
	}
	parts, err := controlplane.Status(ctx, *dir)
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		return fmt.Errorf("no control plane runs in %q", *dir)
	}
	return c.report(parts)
}

func (c command) report(parts []controlplane.PartStatus) error {
	healthy := true
	for _, p := range parts {
		if p.Err == nil {
			fmt.Fprintf(c.stdout, "%-24s pid %-8d port %-6d healthy\n", p.Name, p.PID, p.Port)
			continue
		}
		healthy = false
		fmt.Fprintf(c.stdout, "%-24s pid %-8d port %-6d %v\n", p.Name, p.PID, p.Port, p.Err)
		if end := p.LogEnd(); len(end) > 0 {
			fmt.Fprintf(c.stdout, "  the end of %s:\n    %s\n", p.Log, strings.Join(end, "\n    "))
		}
	}
	if !healthy {
		return errors.New("not all parts are healthy")
	}
	return nil
}

// flags makes a flag set whose help starts with what the command does.
func (c command) flags(synopsis, does string) *flag.FlagSet {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "Usage: controlplane %s\n\n%s\n\n", strings.TrimSpace(c.name+" "+synopsis), does)
		f.VisitAll(func(option *flag.Flag) {
			value, meaning := flag.UnquoteUsage(option)
			fmt.Fprintf(f.Output(), "  --%-22s %s\n", option.Name+" "+value, meaning)
		})
	}
	return f
}

// parse returns errUsage unless args hold flags only, with those required. Help
// that was asked for goes to standard output.
func (c command) parse(f *flag.FlagSet, args []string, required ...string) error {
	var complaint bytes.Buffer
	f.SetOutput(&complaint)
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(c.stdout, complaint.String())
		return err
	case err != nil:
		fmt.Fprint(c.stderr, complaint.String())
		return errUsage
	case f.NArg() > 0:
		return c.misuse(f, fmt.Sprintf("unexpected argument %q", f.Arg(0)))
	}
	for _, name := range required {
		if f.Lookup(name).Value.String() == "" {
			return c.misuse(f, fmt.Sprintf("--%s is required", name))
		}
	}
	return nil
}

func (c command) misuse(f *flag.FlagSet, what string) error {
	fmt.Fprintf(c.stderr, "controlplane %s: %s\n\n", c.name, what)
	f.SetOutput(c.stderr)
	f.Usage()
	return errUsage
}
