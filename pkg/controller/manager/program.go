package manager

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/pflag" //nolint:depguard // this is where programs parse flags
	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/pkg/controller/lease"
)

// The exit codes of [Main]. A panic of Go has 2.
const (
	ExitClean = 0 // it was stopped and everything has ended in order, or its work is done, or --help was asked for
	ExitError = 1 // anything else
	ExitLost  = 3 // the lease is lost; a new process begins as a standby
	ExitGrace = 4 // not everything had ended by the end of the grace period
)

// Main is the main function of a program: it calls run with a [SignalContext], logs why the program ends, flushes the log, and ends
// the process with one of the exit codes of this package. It does not return.
func Main(name string, run func(ctx context.Context) error) {
	code := runProgram(context.Background(), name, run)
	klog.Flush()
	os.Exit(code)
}

func runProgram(parent context.Context, name string, run func(ctx context.Context) error) int {
	ctx, stop := SignalContext(parent)
	defer stop()
	logger := klog.FromContext(ctx).WithValues("program", name)
	err := run(ctx)
	code := Code(ctx, err)
	if cause := context.Cause(ctx); cause != nil {
		logger = logger.WithValues("cause", cause)
	}
	switch {
	case errors.Is(err, pflag.ErrHelp): // who asked reads the help, not the log
	case code == ExitClean:
		logger.Info("Ended")
	default:
		logger.Error(err, "Failed", "code", code)
	}
	return code
}

// Code returns the exit code for the error that a program ended with. That the context has ended is no failure; it is one if a runner
// failed, or if an error of another kind is joined to that of the context.
func Code(ctx context.Context, err error) int {
	switch {
	case errors.Is(err, lease.ErrLost):
		return ExitLost
	case errors.Is(err, ErrGracePeriod):
		return ExitGrace
	case err == nil, isStop(ctx, err), errors.Is(err, pflag.ErrHelp):
		return ExitClean
	default:
		return ExitError
	}
}
