package wire

import (
	"errors"
	"io"
)

// A ListReader cuts the body of a list into its items while it arrives. It holds one item at a time. It isn't safe for
// concurrent use, and doesn't close the body.
type ListReader struct {
	window   window
	limits   Limits
	encoding Encoding
	cutter   listCutter
	meta     ListMeta
	err      error // why there is no more
}

// A listCutter knows one encoding.
type listCutter interface {
	// next consumes the next item and leaves it held. False without an error means that the list is complete.
	next(w *window, meta *ListMeta) (bool, error)
	// end consumes what follows the list.
	end(w *window) error
}

// NewListReader returns a reader of a list. The encoding is found out from the first bytes.
func NewListReader(body io.Reader, limits Limits) *ListReader {
	limits = limits.withDefaults()
	return &ListReader{window: newWindow(body, limits.Object, limits.List), limits: limits}
}

// Next returns the next item. Its error is
//   - [TooLargeError] if the item is too large. It has been skipped, and Next goes on behind it.
//   - [io.EOF] behind the last item, when the whole body has been read.
//   - [io.ErrUnexpectedEOF] if the body ends before the list does.
//   - [SyntaxError] if the body isn't a list.
//   - [ErrListTooLarge] if the body is.
//   - else the error of the body.
//
// Every error but the first is the end: it comes again with every further call.
func (r *ListReader) Next() (Frame, error) {
	r.window.release()
	if r.err == nil {
		r.err = r.advance()
	}
	if r.err != nil {
		return Frame{}, r.err
	}
	return r.window.frame(Frame{Encoding: r.encoding, APIVersion: r.meta.APIVersion, Kind: r.meta.ItemKind()}, r.window.pos-r.window.kept)
}

// Meta returns what has been read so far of what the list says of itself. It is complete once Next has returned [io.EOF]:
// lists of custom resources have their metadata behind their items.
func (r *ListReader) Meta() ListMeta { return r.meta }

func (r *ListReader) advance() error {
	if r.cutter == nil {
		if err := r.detect(); err != nil {
			return err
		}
	}
	ok, err := r.cutter.next(&r.window, &r.meta)
	if ok && err == nil {
		return nil
	}
	if err == nil {
		err = r.cutter.end(&r.window)
	}
	if err == nil {
		return io.EOF
	}
	return r.window.located(err, r.encoding)
}

// detect finds out the encoding.
func (r *ListReader) detect() error {
	w := &r.window
	if err := w.more(); err != nil {
		return err
	}
	switch c := w.buf[w.pos]; {
	case c == '{' || jsonSpace(c):
		r.encoding, r.cutter = JSON, &jsonList{}
	case c == protobufMagic[0]:
		r.encoding, r.cutter = Protobuf, &protobufList{}
	case cborFirst(c):
		r.encoding, r.cutter = CBOR, &cborList{}
	default:
		return &SyntaxError{Problem: "neither JSON nor protobuf nor CBOR"}
	}
	return nil
}

// frame completes a frame of the object that is held and has a size.
func (w *window) frame(f Frame, size int) (Frame, error) {
	switch {
	case w.lost:
		f.Bytes = w.head
		return Frame{}, &TooLargeError{Frame: f, Limit: int64(w.limit)}
	case w.kept == nothing:
		return f, nil
	}
	f.Bytes = w.buf[w.kept : w.kept+size]
	if size > w.limit {
		f.Bytes = append([]byte(nil), f.Bytes[:min(size, headBytes)]...)
		return Frame{}, &TooLargeError{Frame: f, Limit: int64(w.limit)}
	}
	return f, nil
}

// located adds to a problem of an encoding where it is. Errors of the body stay as they are.
func (w *window) located(err error, encoding Encoding) error {
	if errors.Is(err, w.err) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return &SyntaxError{Encoding: encoding, Offset: w.offset(), Problem: err.Error()}
}
