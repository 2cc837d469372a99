package controller

import (
	"errors"
	"fmt"
)

// ErrStarted is returned by [Controller.Run] when it is called a second time.
var ErrStarted = errors.New("was started before; make a new one")

// ErrStopped is returned when something is asked of a controller that has stopped, or is about to.
var ErrStopped = errors.New("has stopped")

// ErrGracePeriod is the cause of a reconcile's context that ended because the controller was stopped and the grace period
// is over.
var ErrGracePeriod = errors.New("controller: stopped and the grace period is over")

// ErrTimeout is the cause of a reconcile's context that ended because it took longer than [Config.Timeout].
var ErrTimeout = errors.New("controller: the reconcile has taken too long")

var (
	errGoexit    = errors.New("reconcile has ended its goroutine, by runtime.Goexit or by FailNow of a test")
	errNotSynced = errors.New("not all sources have synced")
	errNoReason  = errors.New("parked without a reason")
)

// A PanicError is the error of a reconcile that panicked, of a [Runner] in package manager, and of what was told to [Expect].
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panicked: %v", e.Value) }
