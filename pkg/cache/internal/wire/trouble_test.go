package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
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

// A frame of protobuf whose length goes beyond any list isn't waited for.
func TestFrameBeyondAnyList(t *testing.T) {
	frames := newServer(wire.Protobuf).stream(few(1)...)
	body := binary.BigEndian.AppendUint32(frames[0], 2<<30)
	_, err := collect(wire.NewWatchReader(io.MultiReader(bytes.NewReader(body), iotest.ErrReader(errors.New("waited"))), wire.Limits{}).Next)
	if _, ok := errors.AsType[*wire.SyntaxError](err); !ok {
		t.Errorf("got %v", err)
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

// Lists that an API server doesn't send, but might.
func TestUnusualLists(t *testing.T) {
	one := []string{`{"metadata":{"name":"a"}}`}
	tests := map[string]struct {
		body  string
		meta  wire.ListMeta
		items []string
	}{
		"items first":       {`{"items":[{"metadata":{"name":"a"}}],"kind":"PodList","metadata":{"resourceVersion":"3"}}`, wire.ListMeta{Kind: "PodList", ResourceVersion: "3"}, one},
		"escaped keys":      {`{"\u0069tems":[{"metadata":{"name":"a"}}],"kin\u0064":"P\u006fd"}`, wire.ListMeta{Kind: "Pod"}, one},
		"white space":       {" \n{\t\"items\" :\r\n[ {\"metadata\":{\"name\":\"a\"}} ] , \"kind\" : \"Pod\" } \n", wire.ListMeta{Kind: "Pod"}, one},
		"null items":        {`{"items":null,"metadata":null,"kind":null}`, wire.ListMeta{}, nil},
		"no items":          {`{"kind":"Status","status":"Failure","code":410}`, wire.ListMeta{Kind: "Status"}, nil},
		"items twice":       {`{"items":[],"items":[{"metadata":{"name":"a"}}]}`, wire.ListMeta{}, one},
		"CBOR, open":        {"\xbf\x65items\x9f\xa0\xff\x64kind\x5f\x43Pod\x44List\xff\x01\x02\xff", wire.ListMeta{Kind: "PodList"}, []string{"\xa0"}},
		"CBOR, byte string": {"\xd9\xd9\xf7\xa2\x45items\x81\xd9\xd9\xf7\xa0\x48metadata\xa1\x4fresourceVersion\x413", wire.ListMeta{ResourceVersion: "3"}, []string{"\xd9\xd9\xf7\xa0"}},
		"CBOR, null":        {"\xa3\x65items\xf6\x64kind\xf6\x68metadata\xf6", wire.ListMeta{}, nil},
		"protobuf, unknown": {"k8s\x00\x12\x0b\x12\x02\x0a\x00\x18\x01\x22\x01x\x12\x00\x28\x01\x0a\x05\x12\x03Pod", wire.ListMeta{Kind: "Pod"}, []string{"\x0a\x00", ""}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := wire.NewListReader(strings.NewReader(test.body), wire.Limits{})
			var items []string
			for _, frame := range must(collect(r.Next)) {
				items = append(items, string(frame.Bytes))
			}
			if r.Meta() != test.meta || !reflect.DeepEqual(items, test.items) {
				t.Errorf("got %q of %+v", items, r.Meta())
			}
		})
	}
}

// Managed fields that come more than once, which no server sends, are cut out as often.
func TestManagedFieldsTwice(t *testing.T) {
	for before, after := range map[string]string{
		`{"metadata":{"managedFields":[],"managedFields":[],"name":"a"}}`:                     `{"metadata":{"name":"a"}}`,
		`{"metadata":{"managedFields":[] , "managedFields":[] }}`:                             `{"metadata":{ }}`,
		`{"metadata":{"managedFields":[],"name":"a","managedFields":[],"managedFields":[1]}}`: `{"metadata":{"name":"a"}}`,
	} {
		frame := wire.Frame{Encoding: wire.JSON, Bytes: []byte(before)}.WithoutManagedFields()
		if string(frame.Bytes) != after {
			t.Errorf("%s becomes %s, want %s", before, frame.Bytes, after)
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

// Events as a server might order and extend them.
func TestUnusualEvents(t *testing.T) {
	tests := map[string]struct {
		body, kind, object string
	}{
		"type last":        {`{"object":{"a":"}"},"type":"NEW"}`, "NEW", `{"a":"}"}`},
		"more keys":        {` {"x":[{}],"type":"ADDED" , "object" : {} ,"y":"{"}`, "ADDED", `{}`},
		"no object":        {`{"type":"BOOKMARK"}`, "BOOKMARK", ""},
		"CBOR, type last":  {"\xbf\x66object\xd9\xd9\xf7\xa0\x01\x02\x64type\x43NEW\xff", "NEW", "\xd9\xd9\xf7\xa0"},
		"protobuf, no raw": {"\x00\x00\x00\x0c\x0a\x03NEW\x12\x00\x18\x01\x22\x01x", "NEW", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			all := must(collect(wire.NewWatchReader(strings.NewReader(test.body+test.body), wire.Limits{}).Next))
			if len(all) != 2 || all[1].Type != test.kind || string(all[1].Bytes) != test.object {
				t.Errorf("got %+v", all)
			}
			if err := all[0].Decode(&corev1.Pod{}); (err != nil) != (test.object == "") {
				t.Errorf("decoded with %v", err)
			}
		})
	}
}
