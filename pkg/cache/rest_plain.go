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
	return watch.NewStreamWatcherWithLogger(klog.FromContext(ctx), plainStream[T]{ctx, stream}, plainStream[T]{}), nil
}

// A plainStream is a [Stream] as package watch reads one, and what it calls errors by.
type plainStream[T Object] struct {
	ctx context.Context
	Stream[T]
}

// Decode implements [watch.Decoder].
func (s plainStream[T]) Decode() (watch.EventType, runtime.Object, error) {
	event, err := s.Next()
	if err == nil {
		return event.Type, event.Object, nil
	}
	if undecodable, ok := errors.AsType[*UndecodableError](err); ok {
		return undecodable.Type, statusOf(undecodable), nil
	}
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		return watch.Error, new(status.Status()), nil
	}
	switch {
	case s.ctx.Err() != nil:
		err = io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = io.ErrUnexpectedEOF
	}
	return "", nil, err
}

// AsObject implements [watch.Reporter].
func (s plainStream[T]) AsObject(err error) runtime.Object { return statusOf(err) }

func statusOf(err error) *metav1.Status {
	return &metav1.Status{Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Message: err.Error()}
}
