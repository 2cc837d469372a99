package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/wire"
)

// few are pods enough to have something in front of and behind a fault.
func few(n int) (events []watch.Event) {
	for i := range n {
		p := pod(i)
		p.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Pod"))
		p.Spec.Containers, p.Status.Conditions, p.ManagedFields = p.Spec.Containers[:1], nil, p.ManagedFields[:1]
		events = append(events, watch.Event{Type: watch.Added, Object: &p})
	}
	return events
}

func fewPods(n int) *corev1.PodList {
	list := &corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}, ListMeta: metav1.ListMeta{ResourceVersion: "9"}}
	for _, e := range few(n) {
		p := e.Object.(*corev1.Pod)
		p.TypeMeta = metav1.TypeMeta{}
		list.Items = append(list.Items, *p)
	}
	return list
}

// A body that breaks off, wherever, gives the objects in front of the break and then says so. It never passes for a shorter
// list: only bytes that say nothing, at the end of protobuf and JSON, may be missing.
func TestListBreaksOff(t *testing.T) {
	for _, s := range servers() {
		t.Run(s.encoding.String(), func(t *testing.T) {
			body := s.encode(fewPods(3))
			whole := must(frames(body, wire.Limits{}))
			for cut := range body {
				got, err := frames(body[:cut], wire.Limits{})
				if !begins(got, whole) {
					t.Fatalf("cut at %d: frames are not the first ones", cut)
				}
				_, _, naive := s.naively(families()[0], body[:cut])
				if want := io.ErrUnexpectedEOF; naive != nil && !errors.Is(err, want) {
					t.Fatalf("cut at %d: got %v, want %v", cut, err, want)
				}
				if errors.Is(err, io.EOF) && len(got) != len(whole) {
					t.Fatalf("cut at %d: it passes for a list of %d objects", cut, len(got))
				}
			}
		})
	}
}

// begins reports whether frames are the first of all. Kinds may be missing that come behind the items.
func begins(got, all []wire.Frame) bool {
	return len(got) <= len(all) && slices.EqualFunc(got, all[:len(got)], func(a, b wire.Frame) bool { return bytes.Equal(a.Bytes, b.Bytes) })
}

func TestWatchBreaksOff(t *testing.T) {
	for _, s := range servers() {
		t.Run(s.encoding.String(), func(t *testing.T) {
			frames := s.stream(few(3)...)
			body := bytes.Join(frames, nil)
			ends := map[int]bool{0: true}
			end := 0
			for _, frame := range frames {
				end += len(frame)
				ends[end] = true
				if s.encoding == wire.JSON {
					ends[end-1] = true // in front of the newline
				}
			}
			whole := must(collect(wire.NewWatchReader(bytes.NewReader(body), wire.Limits{}).Next))
			for cut := range len(body) + 1 {
				want := io.ErrUnexpectedEOF
				if ends[cut] {
					want = io.EOF
				}
				got, err := collect(wire.NewWatchReader(bytes.NewReader(body[:cut]), wire.Limits{}).Next)
				if !errors.Is(err, want) || !begins(got, whole) {
					t.Fatalf("cut at %d: got %v after %d events, want %v", cut, err, len(got), want)
				}
			}
		})
	}
}

// What the body says is told as it is, and every time.
func TestBodyFails(t *testing.T) {
	for _, s := range servers() {
		t.Run(s.encoding.String(), func(t *testing.T) {
			reset := errors.New("connection reset")
			body := s.encode(fewPods(3))
			for _, cut := range []int{0, 1, 3, len(body) / 2, len(body)} {
				r := wire.NewListReader(io.MultiReader(bytes.NewReader(body[:cut]), iotest.ErrReader(reset)), wire.Limits{})
				for range 2 {
					if _, err := collect(r.Next); !errors.Is(err, reset) {
						t.Errorf("cut at %d: got %v, want %v", cut, err, reset)
					}
				}
			}
			w := wire.NewWatchReader(iotest.ErrReader(reset), wire.Limits{})
			for range 2 {
				if _, err := w.Next(); !errors.Is(err, reset) {
					t.Errorf("got %v, want %v", err, reset)
				}
			}
		})
	}
}

// A frame of protobuf whose length goes beyond any list isn't waited for.
func TestFrameBeyondAnyList(t *testing.T) {
	frames := newServer(wire.Protobuf).stream(few(1)...)
	body := binary.BigEndian.AppendUint32(frames[0], 2<<30)
	_, err := collect(wire.NewWatchReader(io.MultiReader(bytes.NewReader(body), iotest.ErrReader(errors.New("waited"))), wire.Limits{}).Next)
	if _, ok := errors.AsType[*wire.SyntaxError](err); !ok {
		t.Errorf("got %v", err)
	}
}

func second[A any](_ A, err error) error { return err }

// An object of a wrong shape is refused alone.
func TestUndecodable(t *testing.T) {
	body := `{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a"},"spec":{"nodeName":5}},null,7,"x",[],
		{"metadata":{"name":"b","uid":7}},{"metadata":{"name":"c","creationTimestamp":"hunter2"}},{:},{"metadata":{"name":"d"}}],"metadata":{}}`
	want := []struct {
		name string
		ok   bool
	}{{"a", false}, {"", true}, {"", false}, {"", false}, {"", false}, {"b", false}, {"c", false}, {"", false}, {"d", true}}
	for i, frame := range must(frames([]byte(body), wire.Limits{})) {
		id, _ := frame.Identity()
		err := frame.Decode(&corev1.Pod{})
		if id.Name != want[i].name || (err == nil) != want[i].ok {
			t.Errorf("object %d is %+v, %v, want %+v", i, id, err, want[i])
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), " 5")) {
			t.Errorf("the error tells secrets: %v", err)
		}
	}
}

// Bytes that are no list, no stream, or not in the shape that the encoding needs.
func TestGarbage(t *testing.T) {
	lists := []string{
		"<html></html>", "[]", "null", `"items"`, "{,}", `{"items":{}}`, `{"items":[}`, `{"items":[1 2]}`, `{"items":[1,]}`, `{"a":1,}`, `{"a" 1}`, `{a:1}`, `{"items":[]} {`,
		`{"kind":5}`, `{"metadata":{"continue":[]}}`, `{"a":}`, `{"items":[:]}`,
		"k9s\x00", "k8s\x00\x12\x02\x12\x05", "k8s\x00\x00", "k8s\x00\x12\x00\x12\x00", "k8s\x00\x1a\x01g", "k8s\x00\x12\x01\x0c", "k8s\x00\x0a\x02\x0a\x05", "k8s\x00\x12\x04\x0a\x02\x0a\x05",
		"k8s\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"\x01", "\xd9\xd9\xf7\x01", "\xa1\x65items\xa0", "\xa1\x65items\x81\xff", "\xa1\x64kind\x01", "\xa1\x1c", "\xa0\x00", "\xa1\x65items\x81\x5f\x61a\xff", "\xff",
		"\xa1\x65items\x81\x7b\xff\xff\xff\xff\xff\xff\xff\xff",
	}
	for _, body := range lists {
		if _, ok := errors.AsType[*wire.SyntaxError](second(frames([]byte(body), wire.Limits{}))); !ok {
			t.Errorf("list %q: got %v", body, second(frames([]byte(body), wire.Limits{})))
		}
	}
	watches := []string{
		"<html></html>", "[]", `{"type":"ADDED"} 5`, `{"type":5}`, `{"object":}`, "{,",
		"\x00\x00\x00\x02\x12\x05", "\x00\x00\x00\x05\x12\x03\x0a\x01x", "\x00\x00\x00\x01\x00",
		"\x81\x01", "\xa1\x64type\x01", "\xa0\x00",
	}
	for _, body := range watches {
		_, err := collect(wire.NewWatchReader(strings.NewReader(body), wire.Limits{}).Next)
		if _, ok := errors.AsType[*wire.SyntaxError](err); !ok {
			t.Errorf("watch %q: got %v", body, err)
		}
	}
}

// An event without an end is not read for ever, though what is too large of it takes no memory.
func TestEventBeyondAnyList(t *testing.T) {
	limits := wire.Limits{Object: 8 << 10, List: 256 << 10}
	for name, beginning := range map[string]string{
		"JSON": `{"type":"ADDED","object":{"a":"`,
		"CBOR": "\xa2\x64type\x65ADDED\x66object\xa1\x61a\x7b\x7f\xff\xff\xff\xff\xff\xff\xff",
	} {
		t.Run(name, func(t *testing.T) {
			body := io.MultiReader(strings.NewReader(beginning), strings.NewReader(strings.Repeat("x", 1<<20)), iotest.ErrReader(errors.New("read on")))
			_, err := wire.NewWatchReader(body, limits).Next()
			if _, ok := errors.AsType[*wire.SyntaxError](err); !ok {
				t.Errorf("got %v", err)
			}
		})
	}
}
