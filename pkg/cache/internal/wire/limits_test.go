package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	corev1 "k8s.io/api/core/v1"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/wire"
)

// An object that is too large is skipped in between two others, and its beginning says which it was.
func TestTooLargeObject(t *testing.T) {
	for _, s := range servers() {
		t.Run(s.encoding.String(), func(t *testing.T) {
			list := fewPods(3)
			list.Items[1].Annotations = map[string]string{"a": strings.Repeat("x", 300<<10)}
			checkTooLarge(t, wire.NewListReader(bytes.NewReader(s.encode(list)), wire.Limits{Object: 8 << 10}).Next, s)
			checkTooLarge(t, wire.NewListReader(iotest.OneByteReader(bytes.NewReader(s.encode(list))), wire.Limits{Object: 8 << 10}).Next, s)

			events := few(3)
			events[1].Object.(*corev1.Pod).Annotations = list.Items[1].Annotations
			checkTooLarge(t, wire.NewWatchReader(bytes.NewReader(bytes.Join(s.stream(events...), nil)), wire.Limits{Object: 8 << 10}).Next, s)
		})
	}
}

func checkTooLarge(t *testing.T, next func() (wire.Frame, error), s server) {
	t.Helper()
	for i := range 3 {
		frame, err := next()
		tooLarge, ok := errors.AsType[*wire.TooLargeError](err)
		if ok != (i == 1) || !ok && err != nil {
			t.Fatalf("object %d: got %v", i, err)
		}
		if ok {
			frame = tooLarge.Frame
		}
		// The annotations come before the name in CBOR if its maps have their keys so, as they often do.
		id, ok := frame.Identity()
		if want := pod(i); (ok || s.encoding != wire.CBOR) && id.Name != want.Name {
			t.Errorf("object %d is %+v, want %s", i, id, want.Name)
		}
	}
	if _, err := next(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: got %v", err)
	}
}

// The limit of an object holds to the byte, whether or not a buffer would have had place for more.
func TestLimitOfObjectIsExact(t *testing.T) {
	for _, s := range servers() {
		t.Run(s.encoding.String(), func(t *testing.T) {
			body := s.encode(fewPods(1))
			size := int64(len(must(frames(body, wire.Limits{}))[0].Bytes))
			for limit, tooLarge := range map[int64]bool{size: false, size - 1: true} {
				_, err := wire.NewListReader(bytes.NewReader(body), wire.Limits{Object: limit}).Next()
				if _, ok := errors.AsType[*wire.TooLargeError](err); ok != tooLarge {
					t.Errorf("%d bytes with a limit of %d: got %v", size, limit, err)
				}
			}
		})
	}
}

func TestTooLargeList(t *testing.T) {
	for _, s := range servers() {
		t.Run(s.encoding.String(), func(t *testing.T) {
			body := s.encode(fewPods(3))
			for limit, want := range map[int]error{len(body): io.EOF, len(body) - 1: wire.ErrListTooLarge, 1: wire.ErrListTooLarge} {
				if _, err := frames(body, wire.Limits{List: int64(limit)}); !errors.Is(err, want) {
					t.Errorf("%d bytes with a limit of %d: got %v, want %v", len(body), limit, err, want)
				}
			}
		})
	}
}

// Lengths that a body claims cost nothing until the bytes arrive.
func TestHostileLengths(t *testing.T) {
	huge := func(prefix ...byte) []byte { return append(prefix, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f) }
	pods := "k8s\x00\x12\xff\xff\xff\x0f" // a list of about 33 MB
	lists := map[string][]byte{
		"a protobuf item":        []byte(pods + "\x12\xff\xff\x7f"),
		"protobuf metadata":      []byte(pods + "\x0a\xff\xff\x7f"),
		"a protobuf list":        huge([]byte("k8s\x00\x12")...),
		"a protobuf type":        huge([]byte("k8s\x00\x0a")...),
		"a CBOR map":             {0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"a CBOR key":             {0xa1, 0x7b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"CBOR items":             []byte("\xa1\x65items\x9b\xff\xff\xff\xff\xff\xff\xff\xff"),
		"a CBOR string as item":  []byte("\xa1\x65items\x81\x7b\x7f\xff\xff\xff\xff\xff\xff\xff"),
		"a CBOR map as item":     []byte("\xa1\x65items\x81\xbb\xff\xff\xff\xff\xff\xff\xff\xff"),
		"a CBOR string, too far": []byte("\xa1\x65items\x81\x7b\xff\xff\xff\xff\xff\xff\xff\xf7"), // 9 less than nothing
	}
	for name, body := range lists {
		t.Run(name, func(t *testing.T) { cheap(t, wire.NewListReader(bytes.NewReader(body), wire.Limits{}).Next) })
	}
	watches := map[string][]byte{
		"a protobuf frame": {0x01, 0xff, 0xff, 0xff, 0x0a},
		"a CBOR object":    []byte("\xa1\x66object\x7b\x7f\xff\xff\xff\xff\xff\xff\xff"),
		"a CBOR array":     []byte("\xa1\x66object\x9b\xff\xff\xff\xff\xff\xff\xff\xff"),
	}
	for name, body := range watches {
		t.Run(name, func(t *testing.T) { cheap(t, wire.NewWatchReader(bytes.NewReader(body), wire.Limits{}).Next) })
	}
}

// cheap runs a reader to its error and looks at what it has allocated.
func cheap(t *testing.T, next func() (wire.Frame, error)) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	all, err := collect(next)
	runtime.ReadMemStats(&after)
	if errors.Is(err, io.EOF) || len(all) > 0 {
		t.Errorf("it passes for %d objects, %v", len(all), err)
	}
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 256<<10 {
		t.Errorf("%d bytes allocated for a few that came", spent)
	}
}

// Nesting costs neither memory nor stack without end, and only the object that is nested too deep is lost where the encoding
// allows to go on behind it.
func TestDeepNesting(t *testing.T) {
	const depth = 1 << 20
	nested := fmt.Sprintf(`{"items":[%s%s,{"metadata":{"name":"a"}}]}`, strings.Repeat(`{"a":[`, depth), strings.Repeat(`]}`, depth))
	all := must(frames([]byte(nested), wire.Limits{}))
	if len(all) != 2 {
		t.Fatalf("JSON: %d objects", len(all))
	}
	if id, _ := all[1].Identity(); id.Name != "a" {
		t.Errorf("the object behind is %+v", id)
	}
	for _, frame := range all {
		if err := frame.Decode(&corev1.Pod{}); (err == nil) != (len(frame.Bytes) < depth) {
			t.Errorf("%d bytes: %v", len(frame.Bytes), err)
		}
	}

	for _, opening := range []string{"\x81", "\x9f", "\xa1\x01", "\xbf\x01"} {
		body := "\xa1\x65items\x81" + strings.Repeat(opening, depth)
		if _, ok := errors.AsType[*wire.SyntaxError](second(frames([]byte(body), wire.Limits{}))); !ok {
			t.Errorf("CBOR of %q is no syntax error", opening)
		}
	}
	// Tags don't nest for this package. The decoder limits them.
	body := "\xa1\x65items\x81" + strings.Repeat("\xc1", depth) + "\x01"
	tagged := must(frames([]byte(body), wire.Limits{}))[0]
	if err := tagged.Decode(&corev1.Pod{}); err == nil {
		t.Error("tags without end are decoded")
	}
	groups := strings.Repeat("\x0b", depth)
	if _, ok := (wire.Frame{Encoding: wire.Protobuf, Bytes: []byte(groups)}).Identity(); ok {
		t.Error("groups without end have a name")
	}
}

// A stream may have any number of events, however low the limit of a list.
func TestWatchIsLongerThanAnyList(t *testing.T) {
	for _, s := range servers() {
		body := bytes.Repeat(s.stream(few(1)...)[0], 1000)
		all, err := collect(wire.NewWatchReader(bytes.NewReader(body), wire.Limits{Object: 8 << 10, List: 8 << 10}).Next)
		if len(all) != 1000 || !errors.Is(err, io.EOF) {
			t.Errorf("%s: %d events, %v", s.encoding, len(all), err)
		}
	}
}
