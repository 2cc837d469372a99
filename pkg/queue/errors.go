package queue

import "errors"

// ErrShutDown is returned by [Queue.Take] when the queue is shut down and nothing is ready, and by [Queue.Drain] when
// [Queue.ShutDown] ended the wait.
var ErrShutDown = errors.New("queue: shut down")
