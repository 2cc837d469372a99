package lease

import "errors"

// ErrNotLeader is in the errors of writes that a [Fence] refused or broke off, and of [Fence.Allowed].
var ErrNotLeader = errors.New("not the leader")

// ErrLost is in the error of [Elector.Run], and is or is in the cause of its context, when the lease could not be kept.
var ErrLost = errors.New("the lease is lost")

// ErrStarted is returned by [Elector.Run] when it is called a second time.
var ErrStarted = errors.New("was started before; make a new one")

var (
	errNotStarted = errors.New("the election has not begun")
	errAsking     = errors.New("the server has not answered yet")
	errEnded      = errors.New("it was given up")
	errAnswered   = errors.New("the answer came at the same time")
)
