package queue

import "errors"

// ErrShutDown is returned by [Queue.Take] once the queue is shut down and has nothing more to hand out.
var ErrShutDown = errors.New("queue: shut down")
