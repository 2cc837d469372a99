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

// Run runs all runners until the context is done or one of them returns an error. Then it stops them, and waits for each: the
// controllers all at once, and then the others one by one, the last first. So controllers finish their work with live caches,
// if informers come in the order in which they depend on each other. It returns the errors of all, joined. Package manager
// does more: leader election, health, signals.
func Run(ctx context.Context, runners ...Runner) error {
	ctx, failed := context.WithCancel(ctx)
	defer failed()
	var controllers, others []*run
	for _, runner := range runners {
		r := begin(ctx, runner, failed)
		if _, ok := runner.(interface{ drains() }); ok {
			controllers = append(controllers, r)
		} else {
			others = append(others, r)
		}
	}
	<-ctx.Done()
	for _, r := range controllers {
		r.cancel()
	}
	var errs []error
	for _, r := range slices.Backward(slices.Concat(others, controllers)) {
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
