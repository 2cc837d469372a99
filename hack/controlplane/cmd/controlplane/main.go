// Command controlplane builds, starts and stops a real Kubernetes control
// plane: etcd, kube-apiserver and kube-controller-manager.
//
// Progress goes to standard error. The last line that up prints to standard
// output is the path of the admin kubeconfig.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `Usage: controlplane COMMAND [flags]

Runs a real etcd, kube-apiserver and kube-controller-manager on this machine,
compiled from Go modules.

Commands:
  build    compile the control plane into the cache, unless it is there
  up       start a control plane, building it first if need be, and print the
           path of its admin kubeconfig as the last line of standard output
  status   tell how its parts are; the exit status is 0 if all are healthy
  down     stop it

"controlplane COMMAND --help" lists the flags of a command.

Environment:
  SLUICE_CACHE_DIR   where compiled binaries are kept; by default sluice/ in
                     the user's cache directory
`

// errUsage ends the program with status 2. What is wrong has been printed.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := dispatch(ctx, args, stdout, stderr)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	}
	fmt.Fprintln(stderr, "error:", err)
	return 1
}

func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return errUsage
	}
	c := command{name: args[0], stdout: stdout, stderr: stderr}
	switch args[0] {
	case "build":
		return c.build(ctx, args[1:])
	case "up":
		return c.up(ctx, args[1:])
	case "status":
		return c.status(ctx, args[1:])
	case "down":
		return c.down(ctx, args[1:])
	case "help", "--help", "-help", "-h":
		fmt.Fprint(stdout, usage)
		return nil
	}
	fmt.Fprintf(stderr, "controlplane: unknown command %q\n\n%s", args[0], usage)
	return errUsage
}
