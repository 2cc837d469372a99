package wire_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"
	"testing/iotest"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/wire"
)

func FuzzListJSON(f *testing.F)     { fuzzList(f, newServer(wire.JSON)) }
func FuzzListProtobuf(f *testing.F) { fuzzList(f, newServer(wire.Protobuf)) }
func FuzzListCBOR(f *testing.F)     { fuzzList(f, newServer(wire.CBOR)) }

func FuzzWatchJSON(f *testing.F)     { fuzzWatch(f, newServer(wire.JSON)) }
func FuzzWatchProtobuf(f *testing.F) { fuzzWatch(f, newServer(wire.Protobuf)) }
func FuzzWatchCBOR(f *testing.F)     { fuzzWatch(f, newServer(wire.CBOR)) }

// fuzzLimits are low, so that inputs of a fuzzer reach them.
var fuzzLimits = wire.Limits{Object: 2 << 10, List: 16 << 10}

func fuzzList(f *testing.F, s server) {
	f.Helper()
	pods := families()[0]
	f.Fuzz(func(t *testing.T, body []byte) {
		next := func(r io.Reader) func() (wire.Frame, error) { return wire.NewListReader(r, fuzzLimits).Next }
		all, err := collect(next(bytes.NewReader(body)))
		sameInPieces(t, next, body, all, err)
		checkFrames(t, all)

		want, _, naive := s.naively(pods, body)
		if naive == nil && single(body, `"items"`) && !odd(s, body) {
			got, _, err := read(pods, bytes.NewReader(body), wire.Limits{})
			if !errors.Is(err, io.EOF) || len(got) != len(want) {
				t.Fatalf("got %d objects, %v, want %d", len(got), err, len(want))
			}
			for i := range got {
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Errorf("object %d is %v, want %v", i, got[i], want[i])
				}
			}
		}
	})
}

func fuzzWatch(f *testing.F, s server) {
	f.Helper()
	pods := families()[0]
	f.Fuzz(func(t *testing.T, body []byte) {
		next := func(r io.Reader) func() (wire.Frame, error) { return wire.NewWatchReader(r, fuzzLimits).Next }
		all, err := collect(next(bytes.NewReader(body)))
		sameInPieces(t, next, body, all, err)
		checkFrames(t, all)

		want, _ := s.naivelyWatched(pods, body)
		all, err = collect(wire.NewWatchReader(bytes.NewReader(body), wire.Limits{}).Next)
		if len(all) < len(want) && s.encoding != wire.Protobuf {
			t.Fatalf("got %d events, %v, want %d", len(all), err, len(want))
		}
		for i := range min(len(all), len(want)) {
			got := reflect.New(reflect.TypeOf(want[i].Object).Elem()).Interface()
			if err := all[i].Decode(got); err != nil || all[i].Type != string(want[i].Type) || !reflect.DeepEqual(got, want[i].Object) {
				t.Errorf("event %d is %s %v, %v, want %v", i, all[i].Type, got, err, want[i])
			}
		}
	})
}

// odd reports whether a body is refused on purpose that apimachinery takes: a list in protobuf that comes twice, or not at
// all, or that says it's compressed.
func odd(s server, body []byte) bool {
	const raw, contentEncoding = 2, 3
	lists, coded := 0, false
	wire.Fields(body[min(4, len(body)):], func(number int, value []byte) {
		switch number {
		case raw:
			lists++
		case contentEncoding:
			coded = coded || len(value) > 0
		}
	})
	return s.encoding == wire.Protobuf && (lists != 1 || coded)
}

// single reports whether text is in b just once, and for sure: decoders don't agree about keys that come twice.
func single(b []byte, text string) bool {
	return bytes.Count(b, []byte(text)) <= 1 && !bytes.Contains(b, []byte(`\`))
}

// sameInPieces checks that it makes no difference how a body arrives.
func sameInPieces(t *testing.T, next func(io.Reader) func() (wire.Frame, error), body []byte, want []wire.Frame, wantErr error) {
	t.Helper()
	got, err := collect(next(iotest.OneByteReader(bytes.NewReader(body))))
	if err.Error() != wantErr.Error() && !errors.Is(wantErr, wire.ErrListTooLarge) {
		t.Fatalf("in pieces: got %v, want %v", err, wantErr)
	}
	for i := range want {
		if errors.Is(wantErr, wire.ErrListTooLarge) && i >= len(got) {
			break
		}
		if i >= len(got) || got[i].Type != want[i].Type || !bytes.Equal(got[i].Bytes, want[i].Bytes) {
			t.Fatalf("in pieces: frame %d differs", i)
		}
	}
}

// checkFrames does everything with frames that one can do.
func checkFrames(t *testing.T, all []wire.Frame) {
	t.Helper()
	for _, frame := range all {
		id, ok := frame.Identity()
		var pod, stripped corev1.Pod
		err := frame.Decode(&pod)
		if plain := single(frame.Bytes, `"metadata"`) && single(frame.Bytes, `"name"`); err == nil && plain && ok && id.Name != pod.Name {
			t.Errorf("identity is %+v of %v", id, pod.ObjectMeta)
		}
		_ = frame.Decode(&unstructured.Unstructured{})
		plain := single(frame.Bytes, `"metadata"`)
		if strippedErr := frame.WithoutManagedFields().Decode(&stripped); err == nil && plain {
			pod.ManagedFields = nil
			if strippedErr != nil || !reflect.DeepEqual(pod, stripped) {
				t.Errorf("without managed fields: %v, %v, want %v", stripped, strippedErr, pod)
			}
		}
	}
}
