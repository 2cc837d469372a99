package manager

import (
	"errors"
	"fmt"
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
)

// A PanicError is the error of a runner that panicked.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panicked: %v", e.Value) }
