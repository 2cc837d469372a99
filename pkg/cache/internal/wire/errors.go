package wire

import (
	"errors"
	"fmt"
)

// ErrListTooLarge ends the reading of a list whose body is longer than [Limits] allow.
var ErrListTooLarge = errors.New("wire: the list is longer than its limit")

// A TooLargeError says that an object was skipped because it is longer than [Limits] allow. The reader goes on behind it.
type TooLargeError struct {
	// Frame has the first bytes of the object, 64 KiB at most, which often are enough for [Frame.Identity]. They are a copy.
	Frame Frame

	// Limit is how many bytes an object may have.
	Limit int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("wire: an object is longer than %d bytes", e.Limit)
}

// A SyntaxError says that a body isn't what it should be, so that its next object can't be found. It holds nothing of the
// content.
type SyntaxError struct {
	Encoding Encoding // 0 if it is none
	Offset   int64    // bytes of the body in front of the place
	Problem  string   // such as "an object is expected"
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("wire: %s at byte %d of %s", e.Problem, e.Offset, e.Encoding)
}

// A DecodeError says that an object can't be decoded. It holds nothing of the content but names of fields of the Go type.
type DecodeError struct {
	Encoding Encoding
	Problem  string
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("wire: %s can't be decoded: %s", e.Encoding, e.Problem)
}
