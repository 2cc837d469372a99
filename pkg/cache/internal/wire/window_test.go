package wire

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
)

// A buffer that has grown for one object gets small again.
func TestBufferShrinks(t *testing.T) {
	small := `{"type":"ADDED","object":{"metadata":{"name":"a"}}}` + "\n"
	big := `{"type":"ADDED","object":{"data":"` + strings.Repeat("x", 4<<20) + `"}}` + "\n"
	r := NewWatchReader(strings.NewReader(big+strings.Repeat(small, 1000)), Limits{})
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if got := len(r.window.buf); got < 4<<20 || got > 16<<20 {
		t.Errorf("the buffer has %d bytes for an object of 4 MiB", got)
	}
	for {
		frame, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if id, _ := frame.Identity(); err != nil || id.Name != "a" {
			t.Fatalf("got %s, %v", frame.Bytes, err)
		}
	}
	if got := len(r.window.buf); got > 4*firstBuffer {
		t.Errorf("the buffer still has %d bytes", got)
	}
}

// An object that is too large isn't collected before that is noticed.
func TestTooLargeIsNotKept(t *testing.T) {
	body := `{"items":[{"metadata":{"name":"a"},"data":"` + strings.Repeat("x", 8<<20) + `"}]}`
	r := NewListReader(strings.NewReader(body), Limits{Object: 8 << 10})
	if _, err := r.Next(); err == nil {
		t.Error("an object of 8 MiB passes a limit of 8 KiB")
	}
	if got := len(r.window.buf); got > 256<<10 {
		t.Errorf("the buffer has %d bytes", got)
	}
}

// A list in protobuf says at once how long it is.
func TestTooLargeListIsNotRead(t *testing.T) {
	waits := errors.New("waited for more")
	for _, length := range []string{"\xff\xff\xff\xff\x0f", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		body := io.MultiReader(strings.NewReader(protobufMagic+"\x12"+length), iotest.ErrReader(waits))
		if _, err := NewListReader(body, Limits{}).Next(); !errors.Is(err, ErrListTooLarge) {
			t.Errorf("got %v", err)
		}
	}
}

// The length of a map loses one in every form that it can have, behind tags too. A map without a length stays.
func TestShorten(t *testing.T) {
	for before, after := range map[string]string{
		"\xa2":                                 "\xa1",
		"\xd9\xd9\xf7\xa2":                     "\xd9\xd9\xf7\xa1",
		"\xb8\x18":                             "\xb8\x17",
		"\xb9\x01\x00":                         "\xb9\x00\xff",
		"\xba\x00\x01\x00\x00":                 "\xba\x00\x00\xff\xff",
		"\xbb\x00\x00\x00\x01\x00\x00\x00\x00": "\xbb\x00\x00\x00\x00\xff\xff\xff\xff",
		"\xbf":                                 "\xbf",
	} {
		b := []byte(before)
		shorten(b)
		if string(b) != after {
			t.Errorf("%q becomes %q, want %q", before, b, after)
		}
	}
}

// A reader that has no bytes and no error doesn't hang the reading.
func TestNoProgress(t *testing.T) {
	r := NewListReader(idle{}, Limits{})
	if _, err := r.Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v", err)
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

func TestLimitsDefault(t *testing.T) {
	if got := (Limits{Object: -1}).withDefaults(); got != (Limits{Object: 32 << 20, List: 1 << 30}) {
		t.Errorf("got %+v", got)
	}
	if got := (Limits{Object: 1, List: 2}).withDefaults(); got != (Limits{Object: 1, List: 2}) {
		t.Errorf("got %+v", got)
	}
}

// No limit is too large to reckon with.
func TestLimitsWithoutBound(t *testing.T) {
	body := fmt.Sprintf(`{"items":[{"metadata":{"name":"%0100000d"}}]}`, 1)
	r := NewListReader(strings.NewReader(body), Limits{Object: math.MaxInt64, List: math.MaxInt64})
	if frame, err := r.Next(); err != nil || len(frame.Bytes) < 100000 {
		t.Errorf("got %d bytes, %v", len(frame.Bytes), err)
	}
}

// The eight bytes at a time agree with one at a time.
func TestJSONQuote(t *testing.T) {
	text := []byte("0123456\x80\xa2\xdc!#[]789abcdef")
	for length := range len(text) + 1 {
		for at := range length + 1 {
			for _, c := range []byte{'"', '\\', '!', 0x80} {
				b := append([]byte(nil), text[:length]...)
				want := length
				if at < length {
					b[at] = c
					if c == '"' || c == '\\' {
						want = at
					}
				}
				if got := jsonQuote(b); got != want {
					t.Fatalf("%q: got %d, want %d", b, got, want)
				}
			}
		}
	}
}
