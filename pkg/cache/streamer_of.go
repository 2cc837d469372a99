package cache

import (
	"context"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// streamer returns the source as a [Streamer].
func streamer[T Object](source ListerWatcher[T]) Streamer[T] {
	if streams, ok := source.(Streamer[T]); ok {
		return streams
	}
	convert := asserted[T]
	if converter, ok := source.(Converter[T]); ok {
		convert = converter.Convert
	}
	return listerWatcherStreamer[T]{source, convert}
}

// listerWatcherStreamer makes a [Streamer] of any [ListerWatcher].
type listerWatcherStreamer[T Object] struct {
	ListerWatcher[T]

	convert func(runtime.Object) (T, error) // of the objects of watch events
}

func (s listerWatcherStreamer[T]) SendsInitialEvents() bool { return false }

func (s listerWatcherStreamer[T]) StreamList(ctx context.Context, request Request[T], each func(Item[T])) (PageMeta, error) {
	page, err := s.List(ctx, request.ListOptions)
	if err != nil {
		return PageMeta{}, err
	}
	for _, item := range page.Items {
		if request.Known != nil && item.GetName() != "" {
			if known, ok := request.Known(IdentityOf(item)); ok {
				item = known
			}
		}
		each(Item[T]{Object: item})
	}
	return PageMeta{ResourceVersion: page.ResourceVersion, Continue: page.Continue}, nil
}

func (s listerWatcherStreamer[T]) StreamWatch(ctx context.Context, request Request[T]) (Stream[T], error) {
	events, err := s.Watch(ctx, request.ListOptions)
	if err != nil {
		return nil, err
	}
	return &channelStream[T]{ctx, events, s.convert}, nil
}

// channelStream makes a [Stream] of a watch of client-go.
type channelStream[T Object] struct {
	ctx     context.Context
	events  watch.Interface
	convert func(runtime.Object) (T, error)
}

func (s *channelStream[T]) Next() (StreamEvent[T], error) {
	select {
	case <-s.ctx.Done():
		return StreamEvent[T]{}, context.Cause(s.ctx)
	case event, ok := <-s.events.ResultChan():
		if !ok {
			return StreamEvent[T]{}, io.EOF
		}
		return s.event(event)
	}
}

func (s *channelStream[T]) event(event watch.Event) (StreamEvent[T], error) {
	if event.Type == watch.Error {
		return StreamEvent[T]{}, apierrors.FromObject(event.Object)
	}
	obj, err := s.convert(event.Object)
	if err != nil {
		return StreamEvent[T]{}, &UndecodableError{Type: event.Type, Err: fmt.Errorf("an event holds %w", err)}
	}
	return StreamEvent[T]{event.Type, obj}, nil
}

// Close ends the watch and waits until its goroutine has closed the channel.
func (s *channelStream[T]) Close() {
	s.events.Stop()
	for range s.events.ResultChan() { // what is still under way is dropped
		continue
	}
}

func asserted[T Object](obj runtime.Object) (T, error) {
	object, ok := obj.(T)
	if !ok {
		return object, fmt.Errorf("a %s, expected a %s", kindOf(obj), typeName[T]())
	}
	return object, nil
}

func kindOf(obj runtime.Object) string {
	if obj == nil {
		return "nil object"
	}
	return fmt.Sprintf("%T %s", obj, obj.GetObjectKind().GroupVersionKind())
}
