package wire

import (
	"errors"
	"math"
)

// Major types, see RFC 8949 section 3.1.
const (
	cborBytes = 2
	cborText  = 3
	cborArray = 4
	cborMap   = 5
	cborTag   = 6
	cborOther = 7
)

const (
	cborSelf  = 55799 // tag of what describes itself as CBOR
	cborBreak = 0xff  // end of what has no length
	cborNull  = 0xf6

	// cborDepth is how deep values may be nested. It's the limit of apimachinery's decoder.
	cborDepth = 10000
)

var (
	errCBORHead   = errors.New("the head of a value is not well-formed")
	errCBORChunk  = errors.New("a chunk of a string is not well-formed")
	errCBORMap    = errors.New("a map is expected")
	errCBORText   = errors.New("a string is expected")
	errCBORList   = errors.New("the items are not an array")
	errCBORDepth  = errors.New("values are nested too deep")
	errCBORBehind = errors.New("something follows the list")
)

// cborFirst reports whether a list or an event may begin with this byte: a map or a tag.
func cborFirst(c byte) bool { return c>>5 == cborMap || c>>5 == cborTag }

// A head begins every value.
type head struct {
	major byte
	n     uint64 // a number, a length in bytes or elements, a tag or the bits of a float
	open  bool   // the length is not known, a break will end it
}

// cborHead consumes a head.
func (w *window) cborHead() (h head, err error) {
	c, err := w.cborPeek()
	if err != nil {
		return h, err
	}
	info := c & 0x1f
	h.major = c >> 5
	switch {
	case info < 24:
		h.n = uint64(info)
		w.pos++
		return h, nil
	case info < 28:
		h.n, err = w.cborArgument(1 << (info - 24))
		return h, err
	case info < 31 || h.major < cborBytes || h.major == cborTag || h.major == cborOther:
		return h, errCBORHead
	}
	h.open = true
	w.pos++
	return h, nil
}

// cborArgument consumes a first byte and the number of so many bytes behind it.
func (w *window) cborArgument(size int) (n uint64, err error) {
	if err := w.need(1 + size); err != nil {
		return 0, err
	}
	for _, c := range w.buf[w.pos+1 : w.pos+1+size] {
		n = n<<8 | uint64(c)
	}
	w.pos += 1 + size
	return n, nil
}

// cborUntagged consumes the head of a value and the tags in front of it, which say nothing about where it ends.
func (w *window) cborUntagged() (head, error) {
	for {
		if h, err := w.cborHead(); err != nil || h.major != cborTag {
			return h, err
		}
	}
}

// cborPeek returns the first byte of the next value.
func (w *window) cborPeek() (byte, error) {
	if err := w.need(1); err != nil {
		return 0, err
	}
	return w.buf[w.pos], nil
}

// A run counts the elements of an array or the pairs of a map.
type run struct {
	left uint64
	open bool
}

// next reports whether there is one more, and consumes the break if there isn't.
func (r *run) next(w *window) (bool, error) {
	if !r.open {
		more := r.left > 0
		r.left -= min(r.left, 1)
		return more, nil
	}
	c, err := w.cborPeek()
	if err != nil || c != cborBreak {
		return err == nil, err
	}
	w.pos++
	return false, nil
}

// cborOpen enters a map.
func (w *window) cborOpen() (run, error) {
	h, err := w.cborUntagged()
	if err == nil && h.major != cborMap {
		err = errCBORMap
	}
	return run{h.n, h.open}, err
}

// cborSkip consumes a value.
func (w *window) cborSkip(depth int) error {
	if w.cborSkipShort() {
		return nil
	}
	h, err := w.cborUntagged()
	if err != nil {
		return err
	}
	switch h.major {
	case cborBytes, cborText:
		return w.cborSkipText(h)
	case cborArray, cborMap:
		if depth >= cborDepth {
			return errCBORDepth
		}
		return w.cborSkipRun(h, depth+1)
	}
	return nil
}

// cborSkipShort consumes what most values are, a string of less than 24 bytes, if it's there.
func (w *window) cborSkipShort() bool {
	if w.pos == w.end {
		return false
	}
	c := w.buf[w.pos]
	size := 1 + int(c&0x1f)
	if major := c >> 5; major != cborBytes && major != cborText || size > 24 || size > w.end-w.pos {
		return false
	}
	w.pos += size
	return true
}

func (w *window) cborSkipRun(h head, depth int) error {
	r := run{h.n, h.open}
	for {
		more, err := r.next(w)
		if err == nil && more && h.major == cborMap {
			err = w.cborSkip(depth)
		}
		if err == nil && more {
			err = w.cborSkip(depth)
		}
		if err != nil || !more {
			return err
		}
	}
}

func (w *window) cborSkipText(h head) error {
	if !h.open {
		return w.cborSkipBytes(h.n)
	}
	for r := (run{open: true}); ; {
		more, err := r.next(w)
		if err != nil || !more {
			return err
		}
		chunk, err := w.cborHead()
		if err == nil && (chunk.major != h.major || chunk.open) {
			err = errCBORChunk
		}
		if err == nil {
			err = w.cborSkipBytes(chunk.n)
		}
		if err != nil {
			return err
		}
	}
}

func (w *window) cborSkipBytes(n uint64) error {
	if n > math.MaxInt64 {
		return errCBORHead
	}
	return w.skip(int64(n))
}

// cborString consumes a text or byte string, which is valid until more is read. The server sends byte strings for both.
func (w *window) cborString() ([]byte, error) {
	h, err := w.cborHead()
	for err == nil && h.major == cborTag && h.n == cborSelf {
		h, err = w.cborHead()
	}
	switch {
	case err != nil:
		return nil, err
	case h.major != cborBytes && h.major != cborText:
		return nil, errCBORText
	case !h.open:
		return w.text(h.n)
	}
	return w.cborChunks(h)
}

// cborChunks consumes the chunks of a string without a length.
func (w *window) cborChunks(h head) (all []byte, err error) {
	for r := (run{open: true}); ; {
		more, err := r.next(w)
		if err != nil || !more {
			return all, err
		}
		chunk, err := w.cborHead()
		if err == nil && (chunk.major != h.major || chunk.open) {
			err = errCBORChunk
		}
		if err != nil {
			return nil, err
		}
		text, err := w.text(chunk.n)
		if all = append(all, text...); err == nil && len(all) > textBytes {
			err = errLongText
		}
		if err != nil {
			return nil, err
		}
	}
}

// cborPair goes to the next pair of a map and consumes its key. It isn't ok behind the last pair, or after an error.
func (w *window) cborPair(pairs *run) (key []byte, ok bool, err error) {
	more, err := pairs.next(w)
	if err != nil || !more {
		return nil, false, err
	}
	key, err = w.cborKey()
	return key, err == nil, err
}

// cborKey consumes a key. A key that isn't a string is skipped, it's nobody's.
func (w *window) cborKey() ([]byte, error) {
	c, err := w.cborPeek()
	if err != nil {
		return nil, err
	}
	if major := c >> 5; major != cborBytes && major != cborText {
		return nil, w.cborSkip(0)
	}
	return w.cborString()
}
