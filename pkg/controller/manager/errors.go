package manager

import (
	"context"
	"errors"
	"slices"
)

// ErrGracePeriod is in the error of [Manager.Run] when not everything had ended by the end of the grace period.
var ErrGracePeriod = errors.New("the grace period is over")

// ErrStarted is returned by [Manager.Run] when it is called a second time.
var ErrStarted = errors.New("was started before; make a new one")

var (
	errNotStarted = errors.New("not started")
	errNotSynced  = errors.New("not synced yet")
	errStopping   = errors.New("stopping")
	errGoexit     = errors.New("has ended its goroutine, by runtime.Goexit or by FailNow of a test")
	errIdle       = errors.New("all controllers have ended")
	errEarly      = errors.New("has ended before it was stopped")
)

// A failure is the error of a runner. It is one also if it wraps that of some context.
type failure struct {
	runner string
	err    error
}

func (f *failure) Error() string { return f.runner + ": " + f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// isStop says whether an error says nothing but that a context has ended. All of several that are joined must say so.
func isStop(ctx context.Context, err error) bool {
	if ctx.Err() == nil {
		return false
	}
	if err == ctx.Err() || err == context.Cause(ctx) { //nolint:errorlint // the loop is here
		return true
	}
	switch err := err.(type) { //nolint:errorlint // the loop is here
	case *failure:
		return false
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(err.Unwrap(), func(err error) bool { return !isStop(ctx, err) })
	case interface{ Unwrap() error }:
		return isStop(ctx, err.Unwrap())
	default:
		return false
	}
}
