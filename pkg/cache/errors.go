package cache

import "errors"

// ErrStopped is returned by those who wait for an informer or a subscription that has ended.
var ErrStopped = errors.New("stopped")

// ErrStarted is returned by [Informer.Run] when it is called a second time.
var ErrStarted = errors.New("was started before; make a new one")

// ErrNewEpoch is returned by those who wait for a resource version of before the server's versions went back, as they do
// when it is restored from a backup.
var ErrNewEpoch = errors.New("the server's resource versions have gone back")

// ErrMalformed is in the errors of a [Streamer] that could not cut what came into objects, or got a list of another kind.
var ErrMalformed = errors.New("the server's answer is malformed")

var errNotRunning = errors.New("the informer is not running: its Run was not called")
