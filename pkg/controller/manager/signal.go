package manager

import (
	"context"
	"errors"
	"os"
	"os/signal" //nolint:depguard // this is where programs handle signals
	"syscall"
)

// SignalContext returns a context that ends with the first SIGINT or SIGTERM; its cause names the signal. The second signal does
// what it does by default: it ends the process at once. The function ends the context and stops listening.
func SignalContext(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		listen(ctx, signals, cancel)
	}()
	return ctx, func() {
		cancel(nil)
		<-ended
	}
}

// listen waits for the first signal. The second may come before it has stopped listening.
func listen(ctx context.Context, signals chan os.Signal, cancel context.CancelCauseFunc) {
	select {
	case <-ctx.Done():
		signal.Stop(signals)
		return
	case first := <-signals:
		cancel(errors.New(first.String() + " signal received"))
	}
	signal.Stop(signals)
	select {
	case second := <-signals:
		raise(second)
	default:
	}
}

// raise sends this process a signal that nobody listens for any more.
func raise(s os.Signal) {
	process, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = process.Signal(s)
	}
	if err != nil { // there are systems without
		os.Exit(ExitError)
	}
}
