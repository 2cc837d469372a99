package controller

import (
	"context"
	"errors"
	"slices"
)

// A Runner runs until its context is done, and then returns when all that it started has ended. Informers and controllers
// are Runners.
type Runner interface {
	Run(ctx context.Context) error
}

// Run runs all runners until the context is done or one of them returns an error. Then it stops them one by one, the last
// first, and waits for each: put informers before the controllers that read them, so that a controller can finish its
// work with a live cache. Grace periods of several controllers add up. It returns the errors of all, joined.
func Run(ctx context.Context, runners ...Runner) error {
	ctx, failed := context.WithCancel(ctx)
	defer failed()
	running := make([]*run, 0, len(runners))
	for _, runner := range runners {
		running = append(running, begin(ctx, runner, failed))
	}
	<-ctx.Done()
	var errs []error
	for _, r := range slices.Backward(running) {
		errs = append(errs, r.stop())
	}
	return errors.Join(errs...)
}

// run is a Runner at work, with a context of its own.
type run struct {
	cancel context.CancelFunc
	done   chan error
}

// begin starts a runner. It calls failed when the runner returns an error.
func begin(ctx context.Context, runner Runner, failed func()) *run {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &run{cancel: cancel, done: make(chan error, 1)}
	go func() {
		err := runner.Run(ctx)
		if err != nil {
			failed()
		}
		r.done <- err
	}()
	return r
}

func (r *run) stop() error {
	r.cancel()
	return <-r.done
}
