package cache

import (
	"context"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/wire"
)

// A restStream is an open watch of a [RESTSource]. It has no goroutine: Next reads the connection.
type restStream[T Object] struct {
	body    *restBody
	reader  *wire.WatchReader
	decoder *decoder[T]
	ended   error // what Next returns from now on
}

// Next implements [Stream].
func (s *restStream[T]) Next() (StreamEvent[T], error) {
	if s.body.ctx.Err() != nil {
		return StreamEvent[T]{}, context.Cause(s.body.ctx)
	}
	if s.ended != nil {
		return StreamEvent[T]{}, s.ended
	}
	piece, err := pieceOf(s.reader.Next())
	if err == nil && piece.Type == string(watch.Error) {
		err = statusError(piece)
	} else if err != nil {
		err = s.reason(err)
	}
	if err != nil {
		s.ended = err
		return StreamEvent[T]{}, err
	}
	return s.event(piece)
}

func (s *restStream[T]) event(piece piece) (StreamEvent[T], error) {
	obj, undecodable := s.decoder.object(piece)
	if undecodable != nil {
		return StreamEvent[T]{}, undecodable
	}
	return StreamEvent[T]{watch.EventType(piece.Type), obj}, nil
}

// reason returns how the stream has ended. That its time is up, by the client's reckoning, is in order.
func (s *restStream[T]) reason(err error) error {
	if s.body.timedOut() {
		return io.EOF
	}
	return s.body.reason(err)
}

// Close implements [Stream]. It may be called while Next waits, which then fails.
func (s *restStream[T]) Close() { _ = s.body.Close() } // nothing was written that could be lost

// statusError returns the API status that the server sent instead of an event.
func statusError(p piece) error {
	if p.tooLarge != nil {
		return fmt.Errorf("the server sent an error: %w", p.tooLarge)
	}
	status := &metav1.Status{}
	if err := p.Decode(status); err != nil {
		return fmt.Errorf("the server sent an error that can't be decoded: %w", err)
	}
	return apierrors.FromObject(status)
}
