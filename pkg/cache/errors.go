package cache

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
)

// ErrStopped is returned by those who wait for an informer or a subscription that has ended.
var ErrStopped = errors.New("stopped")

// ErrStarted is returned by [Informer.Run] when it is called a second time.
var ErrStarted = errors.New("was started before; make a new one")

var errNotRunning = errors.New("the informer is not running: its Run was not called")

// An IndexError says that an index function panicked, which leaves the object out of the index.
type IndexError struct {
	Index string
	Key   types.NamespacedName
	Cause string // what the function panicked with
}

func (e *IndexError) Error() string {
	return fmt.Sprintf("cache: index %q does not hold object %q: its function panicked: %s", e.Index, e.Key, e.Cause)
}
