package cache

import (
	"context"
	"errors"
	"io"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/klog/v2"
)

// List implements [ListerWatcher], for those who know no [Streamer]. One undecodable object fails the page.
func (s *RESTSource[T]) List(ctx context.Context, opts metav1.ListOptions) (Page[T], error) {
	var result Page[T]
	var undecodable error
	page, err := s.StreamList(ctx, Request[T]{ListOptions: opts}, func(item Item[T]) {
		if item.Err != nil {
			undecodable = item.Err
			return
		}
		result.Items = append(result.Items, item.Object)
	})
	if err == nil {
		err = undecodable
	}
	if err != nil {
		return Page[T]{}, err
	}
	result.ResourceVersion, result.Continue = page.ResourceVersion, page.Continue
	return result, nil
}

// Watch implements [ListerWatcher], for those who know no [Streamer]. An event with an undecodable object has a
// *metav1.Status in its place that tells why.
func (s *RESTSource[T]) Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	stream, err := s.StreamWatch(ctx, Request[T]{ListOptions: opts})
	if err != nil {
		return nil, err
	}
	return watch.NewStreamWatcherWithLogger(klog.FromContext(ctx), &plainStream[T]{ctx: ctx, Stream: stream}, reporter{}), nil
}

// A plainStream is a [Stream] as package watch reads one.
type plainStream[T Object] struct {
	Stream[T]
	ctx   context.Context
	ended bool // with a status
}

// Decode implements [watch.Decoder].
func (s *plainStream[T]) Decode() (watch.EventType, runtime.Object, error) {
	if s.ended {
		return "", nil, io.EOF
	}
	event, err := s.Next()
	if err == nil {
		return event.Type, event.Object, nil
	}
	if undecodable, ok := errors.AsType[*UndecodableError](err); ok {
		return undecodable.Type, reporter{}.AsObject(undecodable), nil
	}
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		s.ended = true
		return watch.Error, new(status.Status()), nil
	}
	return "", nil, s.plain(err)
}

// plain returns the error that package watch knows for how a stream has ended.
func (s *plainStream[T]) plain(err error) error {
	switch {
	case s.ctx.Err() != nil:
		return io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF
	}
	return err
}

// A reporter says in a status what is wrong.
type reporter struct{}

// AsObject implements [watch.Reporter].
func (reporter) AsObject(err error) runtime.Object {
	return &metav1.Status{Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Message: err.Error()}
}
