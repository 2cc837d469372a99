package factory

import "errors"

// ErrConflict is returned when an informer is asked for that exists with other options than these, as far as can be told.
var ErrConflict = errors.New("it exists with other options")

var errNotRunning = errors.New("factory: it is not running: its Run was not called")
