package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/json"
)

// The problems of JSON. Offsets are added by the readers.
var (
	errJSONObject = errors.New("an object is expected")
	errJSONKey    = errors.New("a key is expected")
	errJSONColon  = errors.New("a colon is expected")
	errJSONComma  = errors.New("a comma or the end is expected")
	errJSONText   = errors.New("a string is expected")
	errJSONValue  = errors.New("a value is expected")
	errJSONList   = errors.New("the items are not an array")
)

// jsonPeek returns the next byte that isn't white space, without consuming it.
func (w *window) jsonPeek() (byte, error) {
	for {
		for ; w.pos < w.end; w.pos++ {
			if c := w.buf[w.pos]; c > ' ' || !jsonSpace(c) {
				return c, nil
			}
		}
		if err := w.more(); err != nil {
			return 0, err
		}
	}
}

func jsonSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// jsonOpen consumes a bracket or brace, or says what is wrong.
func (w *window) jsonOpen(bracket byte, wrong error) error {
	c, err := w.jsonPeek()
	if err != nil {
		return err
	}
	if c != bracket {
		return wrong
	}
	w.pos++
	return nil
}

// jsonNext goes to the next element of an array or object, of which first is the first; false means that there is none and
// the bracket that closes it has been consumed.
func (w *window) jsonNext(closing byte, first bool) (bool, error) {
	c, err := w.jsonPeek()
	if err != nil {
		return false, err
	}
	if c == closing {
		w.pos++
		return false, nil
	}
	if first {
		return true, nil
	}
	if c != ',' {
		return false, errJSONComma
	}
	w.pos++
	_, err = w.jsonPeek()
	return err == nil, err
}

// jsonKey consumes a key and its colon. The key is valid until more is read; nothing stands for the end of the object.
func (w *window) jsonKey(first bool) (key []byte, ok bool, err error) {
	if ok, err = w.jsonNext('}', first); !ok {
		return nil, false, err
	}
	if w.buf[w.pos] != '"' {
		return nil, false, errJSONKey
	}
	if key, err = w.jsonText(); err != nil {
		return nil, false, err
	}
	// The colon nearly always follows at once. Otherwise the key may move when more is read.
	if w.pos < w.end && w.buf[w.pos] == ':' {
		w.pos++
		return key, true, nil
	}
	key, err = bytes.Clone(key), w.jsonOpen(':', errJSONColon)
	return key, err == nil, err
}

// jsonText consumes a string and returns what it says. The bytes are valid until more is read.
func (w *window) jsonText() ([]byte, error) {
	if err := w.jsonOpen('"', errJSONText); err != nil {
		return nil, err
	}
	own := w.kept == nothing
	if own {
		w.kept, w.object = w.pos, false
	}
	start := w.pos - w.kept
	err := w.jsonSkipText()
	if err != nil {
		return nil, err
	}
	if w.kept == nothing {
		return nil, errLongText
	}
	raw := w.buf[w.kept+start : w.pos-1]
	if own {
		w.kept = nothing
	}
	return jsonPlain(raw)
}

// jsonPlain returns what a string says whose bytes between the quotes are raw.
func jsonPlain(raw []byte) ([]byte, error) {
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return raw, nil
	}
	var text string
	quoted := append(append([]byte{'"'}, raw...), '"')
	if json.Unmarshal(quoted, &text) != nil {
		return nil, errJSONText
	}
	return []byte(text), nil
}

// jsonSkipText goes behind the quote that closes a string.
func (w *window) jsonSkipText() error {
	for {
		at := jsonQuote(w.buf[w.pos:w.end])
		w.pos += at
		switch {
		case w.pos == w.end:
			if err := w.more(); err != nil {
				return err
			}
		case w.buf[w.pos] == '"':
			w.pos++
			return nil
		default: // a backslash and what it escapes
			if err := w.skip(2); err != nil {
				return err
			}
		}
	}
}

// jsonQuote returns where the first quote or backslash is, or the length. Most strings are too short for the vector
// instructions of package bytes to be worth a call, so it looks at eight bytes at a time.
func jsonQuote(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		eight := binary.LittleEndian.Uint64(b[i:])
		if found := has(eight, '"') | has(eight, '\\'); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == '"' || c == '\\' {
			return i
		}
	}
	return len(b)
}

// has marks the bytes that are c with their highest bit, the first one for sure: see "Determine if a word has a byte equal to
// n" in Anderson's Bit Twiddling Hacks.
func has(eight uint64, c byte) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	zero := eight ^ ones*uint64(c)
	return (zero - ones) & ^zero & highs
}

// jsonSkip consumes one value. It sees where the value ends, not whether it's right within: that is for the decoder.
func (w *window) jsonSkip() error {
	c, err := w.jsonPeek()
	switch {
	case err != nil:
		return err
	case c == '"':
		w.pos++
		return w.jsonSkipText()
	case c == '{' || c == '[':
		return w.jsonSkipNest()
	}
	return w.jsonSkipWord()
}

// jsonSkipNest consumes an object or array. Nesting is counted, so its depth costs nothing; the decoder limits it.
func (w *window) jsonSkipNest() error {
	depth := 0
	for {
		b := w.buf[w.pos:w.end]
		i := 0
		for i < len(b) {
			c := b[i]
			i++
			switch c {
			case '"':
				i += jsonQuote(b[i:])
				if i < len(b) && b[i] == '"' {
					i++
					continue
				}
				w.pos += i
				if err := w.jsonSkipText(); err != nil {
					return err
				}
				b, i = w.buf[w.pos:w.end], 0
			case '{', '[':
				depth++
			case '}', ']':
				depth--
				if depth == 0 {
					w.pos += i
					return nil
				}
			}
		}
		w.pos = w.end
		if err := w.more(); err != nil {
			return err
		}
	}
}

// jsonSkipWord consumes a number, true, false or null.
func (w *window) jsonSkipWord() error {
	for length := 0; ; length++ {
		if w.pos == w.end {
			if err := w.more(); err != nil {
				return err
			}
		}
		switch c := w.buf[w.pos]; {
		case c == ',' || c == '}' || c == ']' || jsonSpace(c):
			if length == 0 {
				return errJSONValue
			}
			return nil
		case c == '"' || c == '{' || c == '[' || c == ':':
			return errJSONValue
		}
		w.pos++
	}
}
