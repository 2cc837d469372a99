package wire

import (
	"errors"
	"io"
	"strings"
	"testing"
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
