package cache

import (
	"context"
	"errors"
	"io"
	"reflect"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/wire"
)

// A RESTSource is a [Streamer] that works on the bytes a REST client of client-go brings: it cuts them into objects, decides
// which of them to decode, and decodes one at a time. It reads one resource, of all namespaces or of one. An API server that
// refuses tells why at once: a request is never repeated from within, and a Retry-After is left to the caller. Create one
// with [FromREST] or [FromClient]. Its methods may be called concurrently.
//
// Typed objects have an empty TypeMeta, always. (Of client-go's typed clients it depends: listed custom resources have
// one.) A *unstructured.Unstructured has its apiVersion and kind, if need be from the list that it came in.
type RESTSource[T Object] struct {
	client   rest.Interface
	resource *resource
	options  RESTOptions
	plan     func() *wire.Plan // made when it is needed
}

func planOf[T Object]() func() *wire.Plan {
	return sync.OnceValue(func() *wire.Plan { return wire.NewPlan(reflect.TypeFor[T]()) })
}

// RESTOptions are options of a [RESTSource]. The zero value is usable.
type RESTOptions struct {
	// Namespace to read. Defaults to all namespaces; leave it empty for a resource that has none.
	Namespace string
	// Kind of the objects, as the server says it. Defaults to the name of the Go type.
	// Of *unstructured.Unstructured and *metav1.PartialObjectMetadata any kind will do.
	Kind string
	// Encoding to ask the server for. Defaults to protobuf for types that can read it, JSON for others.
	Encoding Encoding
	// DropManagedFields cuts metadata.managedFields out of the bytes, before they are decoded. Defaults to keeping them.
	DropManagedFields bool
	// MaxObjectBytes is the largest object to decode, in bytes of its encoding; a larger one is undecodable.
	// Defaults to 32 MiB.
	MaxObjectBytes int64
	// MaxListBytes is the largest page of a list; a larger one fails. Defaults to 1 GiB.
	MaxListBytes int64
	// Request, if not nil, may change every request, for instance its headers.
	Request func(*rest.Request)
}

// FromREST returns a source that reads the resource, for instance "pods", through a REST client of its group and version:
// clientset.CoreV1().RESTClient() is one, rest.RESTClientFor makes one of a [ConfigFor]. T decides what is read: a typed
// object, *unstructured.Unstructured, or of any resource nothing but its *metav1.PartialObjectMetadata.
//
// The Timeout of a rest.Config ends watches, as always: they are opened again. It is better left zero.
func FromREST[T Object](client rest.Interface, name string, options RESTOptions) *RESTSource[T] {
	return &RESTSource[T]{client, namedResource(name), options, planOf[T]()}
}

// In returns a source that reads the same in another namespace, or for an empty one in all.
func (s *RESTSource[T]) In(namespace string) *RESTSource[T] {
	other := *s
	other.options.Namespace = namespace
	return &other
}

// SendsInitialEvents implements [Streamer].
func (s *RESTSource[T]) SendsInitialEvents() bool { return true }

// StreamList implements [Streamer]. An object without a name, of another kind, or larger than the limit counts as
// undecodable. What is no list, or one of another kind, is an error.
func (s *RESTSource[T]) StreamList(ctx context.Context, request Request[T], each func(Item[T])) (PageMeta, error) {
	decoder := s.decoder(request)
	list, err := s.readList(ctx, s.form("PartialObjectMetadataList"), request.ListOptions, func(piece piece) error {
		obj, err := decoder.object(piece)
		each(Item[T]{obj, err})
		return nil
	})
	if err == nil {
		err = decoder.checkList(list)
	}
	return PageMeta{ResourceVersion: list.ResourceVersion, Continue: list.Continue}, err
}

// readList reads one page and calls each with its pieces.
func (s *RESTSource[T]) readList(ctx context.Context, form form, opts metav1.ListOptions, each func(piece) error) (wire.ListMeta, error) {
	ctx, cancel := withTimeout(ctx, opts.TimeoutSeconds)
	defer cancel()
	body, err := s.open(ctx, form, opts)
	if err != nil {
		return wire.ListMeta{}, err
	}
	defer body.Close()
	reader := wire.NewListReader(body, s.limits())
	for {
		piece, err := pieceOf(reader.Next())
		if errors.Is(err, io.EOF) {
			return reader.Meta(), nil
		}
		if err != nil {
			return wire.ListMeta{}, body.reason(err)
		}
		if err := each(piece); err != nil {
			return wire.ListMeta{}, err
		}
	}
}

// StreamWatch implements [Streamer].
func (s *RESTSource[T]) StreamWatch(ctx context.Context, request Request[T]) (Stream[T], error) {
	request.Watch = true
	body, err := s.open(ctx, s.form("PartialObjectMetadata"), request.ListOptions)
	if err != nil {
		return nil, err
	}
	return &restStream[T]{body: body, reader: wire.NewWatchReader(body, s.limits()), decoder: s.decoder(request)}, nil
}

func (s *RESTSource[T]) limits() wire.Limits {
	return wire.Limits{Object: s.options.MaxObjectBytes, List: s.options.MaxListBytes}
}
