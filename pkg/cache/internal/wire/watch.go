package wire

import (
	"io"
)

// A WatchReader cuts a watch stream into its events. It holds one at a time. It isn't safe for concurrent use, and doesn't
// close the body.
type WatchReader struct {
	window   window
	limits   Limits
	encoding Encoding
	cutter   watchCutter
	err      error // why there is no more
}

// A watchCutter knows one encoding.
type watchCutter interface {
	// between goes to the next event. False without an error means that the stream has ended in order.
	between(w *window) (bool, error)
	// next consumes an event and leaves its object held.
	next(w *window) (event, error)
}

// An event is what a stream says of the object that is held.
type event struct {
	kind string // its Type
	size int    // of the object, which is the beginning of what is held
	of   struct{ apiVersion, kind string }
}

// NewWatchReader returns a reader of a watch stream. The encoding is found out from the first bytes.
func NewWatchReader(body io.Reader, limits Limits) *WatchReader {
	limits = limits.withDefaults()
	return &WatchReader{window: newWindow(body, limits.Object, 1<<63-1), limits: limits}
}

// Next waits for the next event. Its error is
//   - [TooLargeError] if the event's object is too large. It has been skipped, and Next goes on behind it.
//   - [io.EOF] if the body has ended behind an event.
//   - [io.ErrUnexpectedEOF] if it has ended within one.
//   - [SyntaxError] if the next event can't be found.
//   - else the error of the body.
//
// Every error but the first is the end: it comes again with every further call.
func (r *WatchReader) Next() (Frame, error) {
	r.window.release()
	var e event
	if r.err == nil {
		e, r.err = r.advance()
	}
	if r.err != nil {
		return Frame{}, r.err
	}
	return r.window.frame(Frame{Encoding: r.encoding, Type: e.kind, APIVersion: e.of.apiVersion, Kind: e.of.kind}, e.size)
}

func (r *WatchReader) advance() (event, error) {
	if r.cutter == nil {
		if err := r.detect(); err != nil {
			return event{}, err
		}
	}
	r.window.most = r.window.offset() + r.limits.List + headBytes // which the rest of the event may take
	ok, err := r.cutter.between(&r.window)
	if err == nil && !ok {
		return event{}, io.EOF
	}
	if err != nil {
		return event{}, r.window.located(err, r.encoding)
	}
	e, err := r.cutter.next(&r.window)
	if err != nil {
		err = r.window.located(err, r.encoding)
	}
	return e, err
}

// detect finds out the encoding.
func (r *WatchReader) detect() error {
	w := &r.window
	if ended, err := w.ended(); ended || err != nil {
		if ended {
			return io.EOF
		}
		return err
	}
	switch c := w.buf[w.pos]; {
	case c == '{' || jsonSpace(c):
		r.encoding, r.cutter = JSON, jsonWatch{}
	case c < '\t': // the first frame has less than 144 MiB
		r.encoding, r.cutter = Protobuf, &protobufWatch{most: r.limits.List}
	case cborFirst(c):
		r.encoding, r.cutter = CBOR, cborWatch{}
	default:
		return &SyntaxError{Problem: "neither JSON nor protobuf nor CBOR"}
	}
	return nil
}

// eventType returns the type that an event names, without allocating those that the API knows.
func eventType(name []byte) string {
	switch string(name) {
	case "ADDED":
		return "ADDED"
	case "MODIFIED":
		return "MODIFIED"
	case "DELETED":
		return "DELETED"
	case "BOOKMARK":
		return "BOOKMARK"
	case "ERROR":
		return "ERROR"
	}
	return string(name)
}
