package wire

import (
	"errors"
	"io"
)

const (
	firstBuffer = 16 << 10 // bytes of a buffer at first
	headBytes   = 64 << 10 // bytes kept of an object that is too large
	textBytes   = 1 << 20  // most bytes of a string that is looked at: a key, a version, a token
	smallRuns   = 16       // objects in a row that need but a fraction of the buffer, until it shrinks
	nothing     = -1
)

var (
	errLongText  = errors.New("a string is too long") // that had to be looked at: more than textBytes
	errLongEvent = errors.New("an event is longer than any list may be")
)

// A window is the part of a body that is in memory: buf[:end], of which buf[pos:end] is still to be read. What is held
// stays in one piece, up to a limit, while more is read; everything in front of it is dropped.
//
// A window without a body is over bytes that are all there, and never moves them.
type window struct {
	body io.Reader
	err  error // of the body, once it has ended
	left int64 // bytes that the body may still have
	most int64 // offset behind which nothing more is read for the event that has begun, or 0

	buf      []byte
	pos, end int
	base     int64 // offset of buf[0] in the body

	kept   int  // index in buf of what is held, or nothing
	object bool // the held bytes are an object, else a text
	limit  int  // most bytes of an object
	lost   bool // the object held last was too large: head has its beginning
	head   []byte
	small  int // objects in a row that were small for the buffer
}

func newWindow(body io.Reader, object, total int64) window {
	return window{body: body, left: total, limit: int(object), kept: nothing}
}

// over returns a window over bytes that are all there.
func over(b []byte) window {
	return window{buf: b, end: len(b), err: io.EOF, kept: nothing}
}

// hold keeps the object that begins at pos until release.
func (w *window) hold() {
	w.kept, w.object, w.lost = w.pos, true, false
}

// release drops what is held. In between two objects it also gives a buffer back that has become far too large.
func (w *window) release() {
	if w.kept != nothing && w.pos-w.kept < len(w.buf)/8 {
		w.small++
	} else {
		w.small = 0
	}
	w.kept, w.lost = nothing, false
	if w.small >= smallRuns && len(w.buf) > 4*firstBuffer && w.end-w.pos < len(w.buf)/4 {
		w.move(make([]byte, len(w.buf)/2))
	}
}

// more reads at least one byte. At the end of the body it returns io.ErrUnexpectedEOF: whoever may be at the end asks ended.
func (w *window) more() error {
	if w.most > 0 && w.base+int64(w.end) > w.most {
		return errLongEvent
	}
	if w.err == nil {
		w.room()
		if w.read() {
			return nil
		}
	}
	if errors.Is(w.err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return w.err
}

// need reads until n bytes are there. They are few.
func (w *window) need(n int) error {
	for w.end-w.pos < n {
		if err := w.more(); err != nil {
			return err
		}
	}
	return nil
}

// ended reports whether the body has ended in order in front of pos.
func (w *window) ended() (bool, error) {
	if w.pos < w.end {
		return false, nil
	}
	err := w.more()
	if err != nil && errors.Is(w.err, io.EOF) {
		return true, nil
	}
	return false, err
}

func (w *window) read() bool {
	for range 100 {
		n, err := w.body.Read(w.buf[w.end:])
		w.left -= int64(n)
		if w.err = err; w.left < 0 {
			w.err = ErrListTooLarge
			return false
		}
		if w.end += n; n > 0 || err != nil {
			return n > 0
		}
	}
	w.err = io.ErrNoProgress
	return false
}

// room makes place for more behind end.
func (w *window) room() {
	from := w.pos
	if w.kept != nothing {
		if w.end-w.kept > w.mostHeld() {
			w.lose()
		} else {
			from = w.kept
		}
	}
	stays, free := w.end-from, len(w.buf)-w.end
	switch {
	case len(w.buf) == 0:
		w.buf = make([]byte, firstBuffer)
	case stays == 0 || free < len(w.buf)/4 && stays <= len(w.buf)/2:
		w.move(w.buf)
	case free < len(w.buf)/4:
		w.move(make([]byte, 2*len(w.buf)))
	}
}

// mostHeld returns how many bytes may be held. An object may be followed by the rest of its event.
func (w *window) mostHeld() int {
	if w.object {
		return w.limit + headBytes
	}
	return textBytes
}

// lose gives up what is held.
func (w *window) lose() {
	if w.object {
		w.lost = true
		w.head = append([]byte(nil), w.buf[w.kept:min(w.kept+headBytes, w.end)]...)
	}
	w.kept = nothing
}

// move puts what stays at the beginning of a buffer, which may be the present one.
func (w *window) move(to []byte) {
	from := w.pos
	if w.kept != nothing {
		from = w.kept
	}
	copy(to, w.buf[from:w.end])
	w.buf, w.base = to, w.base+int64(from)
	w.pos, w.end = w.pos-from, w.end-from
	if w.kept != nothing {
		w.kept = 0
	}
}

// text consumes n bytes, which are valid until more is read.
func (w *window) text(n uint64) ([]byte, error) {
	if n > textBytes {
		return nil, errLongText
	}
	if err := w.need(int(n)); err != nil {
		return nil, err
	}
	w.pos += int(n)
	return w.buf[w.pos-int(n) : w.pos], nil
}

// skip consumes n bytes.
func (w *window) skip(n int64) error {
	for {
		step := min(n, int64(w.end-w.pos))
		w.pos, n = w.pos+int(step), n-step
		if n == 0 {
			return nil
		}
		if err := w.more(); err != nil {
			return err
		}
	}
}

// offset returns how many bytes of the body are in front of pos.
func (w *window) offset() int64 { return w.base + int64(w.pos) }
