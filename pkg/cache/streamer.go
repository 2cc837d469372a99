package cache

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// A Streamer is a [ListerWatcher] that hands objects over one by one while they arrive, so that a list never exists twice,
// as what came and as what became of it, and an object that can't be decoded stands in nobody's way. A [Reflector] prefers
// these methods to List and Watch. A [RESTSource] is one.
type Streamer[T Object] interface {
	ListerWatcher[T]
	// StreamList reads one page and calls each with its items, in order, from the calling goroutine. After an error what was
	// handed over counts for nothing.
	StreamList(ctx context.Context, request Request[T], each func(Item[T])) (PageMeta, error)
	// StreamWatch opens a stream of changes. It ends at the latest when the context is done.
	StreamWatch(ctx context.Context, request Request[T]) (Stream[T], error)
	// SendsInitialEvents says whether the source passes SendInitialEvents of the options on to a server, which may know it
	// (WatchList, KEP-3157).
	SendsInitialEvents() bool
}

// A Request asks a [Streamer] for a page, or for a stream.
type Request[T Object] struct {
	metav1.ListOptions
	// Known, if not nil, returns the object that is cached in this very version. Then it need not be decoded again. It is
	// called from the goroutine that reads, and must not keep the identity: its strings may be gone when it has returned.
	Known func(Identity) (T, bool)
}

// A PageMeta is what a page of a list says of itself.
type PageMeta struct {
	ResourceVersion string
	Continue        string // token of the next page, empty on the last
}

// An Item is an object of a list, or the reason why there is none.
type Item[T Object] struct {
	Object T
	Err    *UndecodableError // nil if there is an object
}

// A Stream is an open watch. One goroutine at a time reads it.
type Stream[T Object] interface {
	// Next waits for the next event. It returns io.EOF when the server has ended the stream in order, io.ErrUnexpectedEOF
	// when it broke off, an API status that the server sent instead of an event, and the cause of the context's end. After
	// an error that is not an [UndecodableError] nothing more comes.
	Next() (StreamEvent[T], error)
	// Close ends the stream. Nothing of it runs any more when it returns.
	Close()
}

// A StreamEvent is an event of a watch.
type StreamEvent[T Object] struct {
	Type   watch.EventType // never Error
	Object T               // of a bookmark: what has its resource version and annotations
}

// An Identity says which object it is, in which version.
type Identity struct {
	Key             types.NamespacedName
	UID             types.UID
	ResourceVersion string
}

// IdentityOf returns the identity of an object.
func IdentityOf[T Object](obj T) Identity {
	return Identity{KeyOf(obj), obj.GetUID(), obj.GetResourceVersion()}
}

// An UndecodableError says that what the server sent could not be made an object of the expected type. It holds nothing of
// the content.
type UndecodableError struct {
	// Identity is of the object, as far as it could be read: without a name not even the key is known.
	Identity
	Type watch.EventType // of the event; empty in a list
	Err  error
}

func (e *UndecodableError) Error() string {
	if e.Key.Name == "" {
		return fmt.Sprintf("an object can't be decoded: %v", e.Err)
	}
	return fmt.Sprintf("%s in version %s can't be decoded: %v", e.Key, e.ResourceVersion, e.Err)
}

// Unwrap returns Err.
func (e *UndecodableError) Unwrap() error { return e.Err }
