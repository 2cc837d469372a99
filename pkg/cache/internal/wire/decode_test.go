package wire_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache/internal/wire"
)

// Typed objects end without a kind, whether or not the server sent one, so that they are the same from every encoding.
func TestTypedObjectsHaveNoKind(t *testing.T) {
	for _, s := range servers() {
		t.Run(s.encoding.String(), func(t *testing.T) {
			frame := must(collect(wire.NewWatchReader(bytes.NewReader(s.stream(few(1)...)[0]), wire.Limits{}).Next))[0]
			for _, object := range []runtime.Object{&corev1.Pod{}, &metav1.PartialObjectMetadata{}} {
				if err := frame.Decode(object); err != nil || !object.GetObjectKind().GroupVersionKind().Empty() {
					t.Errorf("%T has a kind: %v, %v", object, object.GetObjectKind().GroupVersionKind(), err)
				}
			}
			if id, _ := frame.Identity(); id.APIVersion != "v1" || id.Kind != "Pod" {
				t.Errorf("the frame says %+v", id)
			}
		})
	}
}

// An unstructured item without a kind of its own has the kind of its list, as far as that is known.
func TestKindOfList(t *testing.T) {
	item := func(own string) string { return `"items":[{` + own + `"metadata":{"name":"a"}}]` }
	tests := map[string]struct{ body, apiVersion, kind string }{
		"of the list":      {`{"kind":"PodList","apiVersion":"v1",` + item("") + `}`, "v1", "Pod"},
		"its own":          {`{"kind":"List","apiVersion":"v1",` + item(`"apiVersion":"apps/v1","kind":"Deployment",`) + `}`, "apps/v1", "Deployment"},
		"half its own":     {`{"kind":"PodList","apiVersion":"v1",` + item(`"kind":"Node",`) + `}`, "", "Node"},
		"the other half":   {`{"kind":"PodList","apiVersion":"v1",` + item(`"apiVersion":"v2",`) + `}`, "v2", ""},
		"known afterwards": {`{` + item("") + `,"kind":"PodList","apiVersion":"v1"}`, "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var u unstructured.Unstructured
			frame := must(frames([]byte(test.body), wire.Limits{}))[0]
			if err := frame.Decode(&u); err != nil || u.GetAPIVersion() != test.apiVersion || u.GetKind() != test.kind {
				t.Errorf("got %v, %v", u, err)
			}
			if id, _ := frame.Identity(); id.APIVersion != test.apiVersion || id.Kind != test.kind {
				t.Errorf("identity is %+v", id)
			}
		})
	}
}

// A decoder ignores what a type doesn't know: a newer server has more fields.
func TestUnknownFields(t *testing.T) {
	for _, encoding := range []wire.Encoding{wire.JSON, wire.CBOR} {
		u := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": "a", "new": "x"}, "new": int64(1)}}
		u.SetGroupVersionKind(stablev1.SchemeGroupVersion.WithKind("CronTab"))
		body := newServer(encoding).stream(watch.Event{Type: watch.Added, Object: u})[0]
		frame := must(collect(wire.NewWatchReader(bytes.NewReader(body), wire.Limits{}).Next))[0]
		var tab stablev1.CronTab
		if err := frame.Decode(&tab); err != nil || tab.Name != "a" {
			t.Errorf("%v: %v, %v", encoding, tab, err)
		}
	}
}

// What is raw in a Go type is JSON afterwards, whatever came.
func TestRawIsJSON(t *testing.T) {
	for _, s := range servers() {
		t.Run(s.encoding.String(), func(t *testing.T) {
			var pod corev1.Pod
			if err := must(frames(s.encode(fewPods(1)), wire.Limits{}))[0].Decode(&pod); err != nil {
				t.Fatal(err)
			}
			if raw := pod.ManagedFields[0].FieldsV1.GetRawString(); !strings.HasPrefix(raw, "{") {
				t.Errorf("managed fields are %q", raw)
			}
		})
	}
}

type broken struct{ corev1.Pod }

func (broken) UnmarshalJSON([]byte) error { panic("hunter2") }

func TestDecodeErrors(t *testing.T) {
	json := wire.Frame{Encoding: wire.JSON, Bytes: []byte(`{"metadata":{"name":"hunter2"},"spec":{"nodeName":31337}}`)}
	tests := map[string]struct {
		frame wire.Frame
		into  any
	}{
		"wrong type":            {json, &corev1.Pod{}},
		"not JSON":              {wire.Frame{Encoding: wire.JSON, Bytes: []byte(`{"hunter2`)}, &corev1.Pod{}},
		"no object":             {wire.Frame{Encoding: wire.CBOR}, &corev1.Pod{}},
		"no encoding":           {wire.Frame{Bytes: []byte("hunter2")}, &corev1.Pod{}},
		"panic":                 {json, &broken{}},
		"not protobuf":          {wire.Frame{Encoding: wire.Protobuf, Bytes: []byte("\x0a\x7fhunter2")}, &corev1.Pod{}},
		"no message":            {wire.Frame{Encoding: wire.Protobuf, Bytes: []byte("\x0a\x00")}, &stablev1.CronTab{}},
		"protobuf without type": {wire.Frame{Encoding: wire.Protobuf, Bytes: []byte("\x0a\x00")}, &unstructured.Unstructured{}},
		"wrong type in CBOR":    {wire.Frame{Encoding: wire.CBOR, Bytes: []byte("\xa1\x64spec\x67hunter2")}, &corev1.Pod{}},
		"key twice in CBOR":     {wire.Frame{Encoding: wire.CBOR, Bytes: []byte("\xa2\x67hunter2\x01\x67hunter2\x01")}, &unstructured.Unstructured{}},
		"an array":              {wire.Frame{Encoding: wire.JSON, Bytes: []byte(`["hunter2"]`)}, &unstructured.Unstructured{}},
		"wrong time":            {wire.Frame{Encoding: wire.JSON, Bytes: []byte(`{"metadata":{"creationTimestamp":"hunter2"}}`)}, &corev1.Pod{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := test.frame.Decode(test.into)
			if _, ok := errors.AsType[*wire.DecodeError](err); !ok {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "31337") {
				t.Errorf("the error has content: %v", err)
			}
			t.Log(err)
		})
	}
}

// An object that is cut off has the identity that its first bytes tell. A name that is cut off itself is none.
func TestIdentityOfBeginning(t *testing.T) {
	for _, s := range servers() {
		t.Run(s.encoding.String(), func(t *testing.T) {
			frame := must(frames(s.encode(fewPods(1)), wire.Limits{}))[0]
			whole, _ := frame.Identity()
			// At the latest here the name is known, with the quote that JSON has. CBOR comes in any order, so it may be the end.
			there := min(bytes.LastIndex(frame.Bytes, []byte(whole.Name))+len(whole.Name)+1, len(frame.Bytes))
			known := false
			for cut := range len(frame.Bytes) + 1 {
				part := frame
				part.Bytes = frame.Bytes[:cut]
				id, ok := part.Identity()
				for _, pair := range [][2]string{{id.Name, whole.Name}, {id.Namespace, whole.Namespace}, {id.UID, whole.UID}, {id.ResourceVersion, whole.ResourceVersion}} {
					if pair[0] != "" && pair[0] != pair[1] {
						t.Fatalf("cut at %d: %q of %q", cut, pair[0], pair[1])
					}
				}
				if !ok && (known || cut >= there) {
					t.Fatalf("cut at %d of %d: the name is not known; before it was: %t", cut, len(frame.Bytes), known)
				}
				known = ok
				part.Bytes = bytes.Clone(part.Bytes)
				part.WithoutManagedFields()
			}
		})
	}
}

// An identity stays what it is when the frame's bytes are used again, also if it's nothing but a name.
func TestIdentityIsACopy(t *testing.T) {
	for _, body := range []string{`{"metadata":{"name":"a"}}`, `{"metadata":{"name":"a","uid":"u"},"kind":"Pod"}`} {
		frame := wire.Frame{Encoding: wire.JSON, Bytes: []byte(body)}
		id, _ := frame.Identity()
		scribble(frame.Bytes)
		if id.Name != "a" {
			t.Errorf("the name has become %q", id.Name)
		}
	}
}

// A name that isn't UTF-8 or has escapes is read as it is decoded.
func TestIdentityOfOddNames(t *testing.T) {
	for _, name := range []string{"a\xff", `\u0061\"\\`, `\ud800`, "é"} {
		frame := wire.Frame{Encoding: wire.JSON, Bytes: []byte(`{"metadata":{"name":"` + name + `"}}`)}
		var pod corev1.Pod
		if err := frame.Decode(&pod); err != nil {
			t.Fatal(err)
		}
		if id, _ := frame.Identity(); id.Name != pod.Name {
			t.Errorf("got %q, want %q", id.Name, pod.Name)
		}
	}
}

// A look at an object and the cut of its managed fields allocate nothing, an identity one string.
func TestAllocations(t *testing.T) {
	for _, s := range servers() {
		t.Run(s.encoding.String(), func(t *testing.T) {
			frame := must(frames(s.encode(fewPods(1)), wire.Limits{}))[0]
			original := bytes.Clone(frame.Bytes)
			for name, test := range map[string]struct {
				do   func()
				want float64
			}{
				"Peek":                 {func() { frame.Peek() }, 0},
				"Identity":             {func() { frame.Identity() }, 1},
				"WithoutManagedFields": {func() { copy(frame.Bytes, original); frame.WithoutManagedFields() }, 0},
			} {
				if got := testing.AllocsPerRun(100, test.do); got != test.want {
					t.Errorf("%s allocates %v times, want %v", name, got, test.want)
				}
			}
		})
	}
}

// Reading allocates its buffer and a few strings, not something for every object.
func TestReadingAllocatesOnce(t *testing.T) {
	for _, s := range servers() {
		t.Run(s.encoding.String(), func(t *testing.T) {
			allocated := func(n int) float64 {
				body := s.encode(fewPods(n))
				return testing.AllocsPerRun(10, func() {
					r := wire.NewListReader(bytes.NewReader(body), wire.Limits{})
					for {
						if _, err := r.Next(); err != nil {
							return
						}
					}
				})
			}
			if one, many := allocated(1), allocated(100); many > one+1 {
				t.Errorf("%v allocations for one object, %v for 100", one, many)
			}
		})
	}
}

// An event is handed over when it's whole. The reader doesn't wait for what comes next.
func TestEventIsNotHeldBack(t *testing.T) {
	for _, s := range servers() {
		t.Run(s.encoding.String(), func(t *testing.T) {
			body := bytes.TrimRight(s.stream(few(1)...)[0], "\n")
			waits := errors.New("waited for more")
			r := wire.NewWatchReader(io.MultiReader(bytes.NewReader(body), iotest.ErrReader(waits)), wire.Limits{})
			if _, err := r.Next(); err != nil {
				t.Error(err)
			}
			if _, err := r.Next(); !errors.Is(err, waits) {
				t.Errorf("got %v, want %v", err, waits)
			}
		})
	}
}
