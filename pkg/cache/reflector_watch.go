package cache

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/protocol"
)

var (
	errClosed    = errors.New("the server closed the stream")
	errNoVersion = errors.New("a bookmark has no resource version")
	errWentBack  = errors.New("watch: a bookmark is older than what was seen")
)

// watch hands changes to the sink until the stream ends.
func (r *Reflector[T]) watch(d *deadline, next protocol.Request) (protocol.Outcome, error) {
	d.within(r.config.Silence, r.interrupts)
	stream, err := r.open(d, r.watchRequest(next))
	if err != nil {
		return failed(d.ctx, protocol.Watch, err, false)
	}
	defer stream.Close()
	r.status.watching()
	return r.follow(d, stream, next.Version)
}

// watchList hands everything there is to the sink, and then changes, until the stream ends.
func (r *Reflector[T]) watchList(d *deadline, next protocol.Request) (protocol.Outcome, error) {
	request := r.watchRequest(next)
	request.SendInitialEvents = new(true)
	request.ResourceVersionMatch = metav1.ResourceVersionMatchNotOlderThan
	d.within(r.config.InitialEventsTimeout, r.interrupts)
	stream, err := r.open(d, request)
	if err != nil {
		return unlessUnsupported(failed(d.ctx, protocol.WatchList, err, false))
	}
	defer stream.Close()
	collected := collection[T]{reflector: r}
	version, err := collected.initialEvents(d, stream)
	if err != nil {
		return unlessUnsupported(failed(d.ctx, protocol.WatchList, err, false))
	}
	d.within(r.config.Silence, r.interrupts) // what the sink takes its time for is no silence of the server
	listed := collected.replace(next, version)
	if listed.Ending != protocol.Complete {
		return listed, nil
	}
	r.status.watching()
	return r.follow(d, stream, version)
}

func (r *Reflector[T]) watchRequest(next protocol.Request) Request[T] {
	timeout := r.config.WatchTimeout + rand.N(r.config.WatchTimeout)
	return r.request(metav1.ListOptions{
		ResourceVersion:     next.Version,
		AllowWatchBookmarks: true,
		TimeoutSeconds:      new(int64(math.Ceil(timeout.Seconds()))),
	}, next)
}

func (r *Reflector[T]) open(d *deadline, request Request[T]) (Stream[T], error) {
	stream, err := r.source.StreamWatch(d.ctx, request)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	return stream, nil
}

// next tells the end of the stream from one of a connection, which is the same error.
func next[T Object](stream Stream[T]) (StreamEvent[T], error) {
	event, err := stream.Next()
	if err == io.EOF { //nolint:errorlint // an end that is wrapped is not that of the stream
		err = errClosed
	}
	return event, err
}

// follow hands the changes of an open stream to the sink. version is where it begins.
func (r *Reflector[T]) follow(d *deadline, stream Stream[T], version string) (protocol.Outcome, error) {
	opened := d.touch()
	outcome := protocol.Outcome{Mode: protocol.Watch, Version: version}
	for {
		event, err := next(stream)
		if err == nil {
			err = r.handle(d, event, &outcome)
		} else if undecodable, ok := errors.AsType[*UndecodableError](err); ok {
			err = nil
			r.isolate(d, undecodable, &outcome)
		}
		if err != nil {
			ended, err := failed(d.ctx, protocol.Watch, fmt.Errorf("watch: %w", err), false)
			outcome.Ending, outcome.RetryAfter = ended.Ending, ended.RetryAfter
			lasted := outcome.Ending != protocol.Silent && r.config.Clock.Since(opened) > r.config.MaxBackoff
			outcome.Progress = outcome.Progress || lasted
			return outcome, err
		}
	}
}

// handle passes one event on. It returns an error if the stream is not to be followed any further.
func (r *Reflector[T]) handle(d *deadline, event StreamEvent[T], outcome *protocol.Outcome) error {
	if err := unusable(event); err != nil {
		r.skip(d.ctx, err)
		return nil
	}
	version := event.Object.GetResourceVersion() // the sink may change the object
	if event.Type == watch.Bookmark && older(version, outcome.Version) {
		return errWentBack
	}
	switch event.Type {
	case watch.Added:
		r.sink.Add(event.Object)
	case watch.Modified:
		r.sink.Update(event.Object)
	case watch.Deleted:
		r.sink.Delete(event.Object)
	default:
		r.sink.Bookmark(version)
		r.status.bookmarked(d.touch())
	}
	r.advance(d, version, outcome)
	return nil
}

// isolate passes on that an object can't be decoded.
func (r *Reflector[T]) isolate(d *deadline, err *UndecodableError, outcome *protocol.Outcome) {
	if err.Key.Name == "" {
		r.skip(d.ctx, err)
		return
	}
	r.sink.Isolate(err)
	r.advance(d, err.ResourceVersion, outcome)
}

// advance notes that the stream has come to a version, which may be empty in client-go's fake clientsets. What was seen
// before is no progress: a server that sends it and ends the stream, again and again, is to be asked less and less often.
func (r *Reflector[T]) advance(d *deadline, version string, outcome *protocol.Outcome) {
	if version != "" && !older(version, outcome.Version) {
		outcome.Progress = outcome.Progress || version != outcome.Version
		outcome.Version = version
	}
	outcome.Progress = outcome.Progress || version == ""
	r.status.received(d.touch())
}

// unusable returns why an event can't be used, if it can't.
func unusable[T Object](event StreamEvent[T]) error {
	if err := unknownType(event.Type); err != nil {
		return err
	}
	switch {
	case event.Type == watch.Bookmark && event.Object.GetResourceVersion() == "":
		return errNoVersion
	case event.Type != watch.Bookmark && event.Object.GetName() == "":
		return errNameless
	}
	return nil
}

func unknownType(t watch.EventType) error {
	switch t {
	case watch.Added, watch.Modified, watch.Deleted, watch.Bookmark:
		return nil
	}
	return fmt.Errorf("an event has the unknown type %.100q", t)
}
