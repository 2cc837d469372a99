package wire_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"slices"
	"testing"
	"testing/iotest"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"pgregory.net/rapid"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/wire"
)

// A list and a stream are the same objects for this package as for apimachinery, however the network cuts them.
func TestAgreesWithApimachinery(t *testing.T) {
	for _, p := range pairs() {
		t.Run(p.name(), func(t *testing.T) {
			s, f := p.server, p.family
			rapid.Check(t, func(t *rapid.T) {
				objects := f.draws(t)
				body := s.encode(f.of(text().Draw(t, "version"), text().Draw(t, "continue"), objects))
				want, wantMeta, err := s.naively(f, body)
				if err != nil {
					t.Fatal(err)
				}
				got, gotMeta, err := read(f, pieces(t, body), wire.Limits{})
				if !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
				if gotMeta != wantMeta {
					t.Errorf("metadata is %+v, want %+v", gotMeta, wantMeta)
				}
				sameObjects(t, kinds(f, got), kinds(f, want))
			})
		})
	}
}

func TestAgreesWithClientGoOnStreams(t *testing.T) {
	for _, p := range pairs() {
		t.Run(p.name(), func(t *testing.T) {
			s, f := p.server, p.family
			rapid.Check(t, func(t *rapid.T) {
				var events []watch.Event
				for _, o := range f.draws(t) {
					o.GetObjectKind().SetGroupVersionKind(f.kind)
					kind := rapid.SampledFrom([]watch.EventType{watch.Added, watch.Modified, watch.Deleted, watch.Bookmark}).Draw(t, "type")
					events = append(events, watch.Event{Type: kind, Object: o})
				}
				body := bytes.Join(s.stream(events...), nil)
				want, wantErr := s.naivelyWatched(f, body)
				got, err := watched(f, pieces(t, body))
				if !errors.Is(err, io.EOF) || !errors.Is(wantErr, io.EOF) {
					t.Fatal(err, wantErr)
				}
				if !slices.EqualFunc(got, want, func(a, b watch.Event) bool { return reflect.DeepEqual(a, b) }) {
					t.Errorf("got %v, want %v", got, want)
				}
			})
		})
	}
}

// What is read from the bytes is what the decoded object says, and without its managed fields it's the same object.
func TestIdentityAndManagedFields(t *testing.T) {
	for _, p := range pairs() {
		t.Run(p.name(), func(t *testing.T) {
			s, f := p.server, p.family
			rapid.Check(t, func(t *rapid.T) {
				objects := f.draws(t)
				for i, frame := range must(frames(s.encode(f.of("1", "", objects)), wire.Limits{})) {
					object := f.empty()
					if err := frame.Decode(object); err != nil {
						t.Fatal(err)
					}
					want, err := meta.Accessor(object)
					if err != nil {
						t.Fatal(err)
					}
					checkIdentity(t, frame, want)
					apiVersion, kind := objects[i].GetObjectKind().GroupVersionKind().ToAPIVersionAndKind()
					if id, _ := frame.Identity(); s.encoding == wire.JSON && kind != "" && (id.APIVersion != apiVersion || id.Kind != kind) {
						t.Errorf("got %q, %q, want %q, %q", id.APIVersion, id.Kind, apiVersion, kind)
					}
					stripped := f.empty()
					if err := frame.WithoutManagedFields().Decode(stripped); err != nil {
						t.Fatal(err)
					}
					want.SetManagedFields(nil)
					if !reflect.DeepEqual(stripped, object) {
						t.Errorf("without managed fields: %v, want %v", stripped, object)
					}
				}
			})
		})
	}
}

func checkIdentity(t *rapid.T, frame wire.Frame, want metav1.Object) {
	id, ok := frame.Peek()
	if kept, keptOK := frame.Identity(); kept != id || keptOK != ok || ok != (id.Name != "") {
		t.Errorf("a look sees %v, %v, the copy is %v, %v", id, ok, kept, keptOK)
	}
	if id.Name != want.GetName() || id.Namespace != want.GetNamespace() || id.UID != string(want.GetUID()) || id.ResourceVersion != want.GetResourceVersion() {
		t.Errorf("identity is %+v of %v", id, want)
	}
}

// pieces is a body that arrives in pieces.
func pieces(t *rapid.T, body []byte) io.Reader {
	switch rapid.IntRange(0, 3).Draw(t, "arrives") {
	case 0:
		return bytes.NewReader(body)
	case 1:
		return iotest.OneByteReader(bytes.NewReader(body))
	case 2:
		return iotest.DataErrReader(bytes.NewReader(body))
	}
	at := rapid.IntRange(0, len(body)).Draw(t, "at")
	return io.MultiReader(bytes.NewReader(body[:at]), iotest.HalfReader(bytes.NewReader(body[at:])))
}

// kinds clears what only is known when the list has ended: built-in kinds in CBOR whose kind comes behind the items.
func kinds(f family, objects []runtime.Object) []runtime.Object {
	for _, o := range objects {
		if f.unstructured() && o.GetObjectKind().GroupVersionKind().Empty() {
			o.GetObjectKind().SetGroupVersionKind(f.kind)
		}
	}
	return objects
}

func sameObjects(t *rapid.T, got, want []runtime.Object) {
	if len(got) != len(want) {
		t.Fatalf("got %d objects, want %d", len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("object %d is %#v, want %#v", i, got[i], want[i])
		}
	}
}

// must is for bodies that are whole.
func must(all []wire.Frame, err error) []wire.Frame {
	if !errors.Is(err, io.EOF) {
		panic(err)
	}
	return all
}
