package wire_test

import (
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"pgregory.net/rapid"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/wire"
)

// Of every built-in type a Decoder makes what the type's own Unmarshal makes, also of two messages one after the other, which
// become one, and of bytes that have been damaged.
func TestDecoderAgreesWithUnmarshal(t *testing.T) {
	builtIn := messages()
	decoders := map[reflect.Type]*wire.Decoder{}
	for _, m := range builtIn {
		decoders[m] = wire.NewDecoder(wire.NewPlan(m))
	}
	rapid.Check(t, func(t *rapid.T) {
		pointer := rapid.SampledFrom(builtIn).Draw(t, "type")
		random := filler{rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))}
		bytes := random.message(pointer)
		for damaged := range 5 {
			switch damaged {
			case 0:
			case 1:
				bytes = slices.Concat(bytes, random.message(pointer))
			default:
				bytes = random.damage(bytes)
			}
			frame := wire.Frame{Encoding: wire.Protobuf, Bytes: bytes}
			if damaged == 0 && !wire.Reads(decoders[pointer], frame, reflect.New(pointer.Elem()).Interface()) {
				t.Fatalf("%v of %x is left to Unmarshal", pointer, bytes)
			}
			sameDecoded(t, decoders[pointer], frame, pointer)
		}
	})
}

func sameDecoded(t rapid.TB, d *wire.Decoder, frame wire.Frame, pointer reflect.Type) {
	t.Helper()
	got, want := reflect.New(pointer.Elem()).Interface(), reflect.New(pointer.Elem()).Interface()
	err, wantErr := d.Decode(frame, got), frame.Decode(want)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%v of %x: got %v, want %v", pointer, frame.Bytes, err, wantErr)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%v of %x: got %+v, want %+v", pointer, frame.Bytes, got, want)
	}
}

func FuzzDecoder(f *testing.F) {
	p := pod(1)
	whole := must1(p.Marshal())
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	d := wire.NewDecoder(wire.NewPlan(reflect.TypeFor[*corev1.Pod]()))
	f.Fuzz(func(t *testing.T, b []byte) {
		sameDecoded(t, d, wire.Frame{Encoding: wire.Protobuf, Bytes: b}, reflect.TypeFor[*corev1.Pod]())
	})
}

// What is in many objects is in memory once, unless two strings have the same place, and slices have no spare room.
func TestDecoderSharesTexts(t *testing.T) {
	shared := false
	for range 20 {
		a, b := decodeTwo(t)
		shared = shared || same(a.Spec.Containers[1].Env[2].Name, b.Spec.Containers[1].Env[2].Name) && same(a.Labels["pod-template-hash"], b.Labels["pod-template-hash"])
		if same(a.Annotations["long"], b.Annotations["long"]) {
			t.Error("a long string was remembered")
		}
		if c := a.Status.Conditions; len(c) != 4 || cap(c) != 4 {
			t.Errorf("4 conditions are a slice of %d with room for %d", len(c), cap(c))
		}
	}
	if !shared {
		t.Error("equal strings are there twice")
	}
}

func decodeTwo(t *testing.T) (a, b corev1.Pod) {
	t.Helper()
	d := wire.NewDecoder(wire.NewPlan(reflect.TypeFor[*corev1.Pod]()))
	for i, into := range []*corev1.Pod{&a, &b} {
		p := pod(i)
		p.Annotations["long"] = strings.Repeat("long", 20)
		if err := d.Decode(wire.Frame{Encoding: wire.Protobuf, Bytes: must1(p.Marshal())}, into); err != nil {
			t.Fatal(err)
		}
	}
	return a, b
}

func same(a, b string) bool { return a == b && unsafe.StringData(a) == unsafe.StringData(b) }

// The second of two equal objects takes less than half of the allocations that its own Unmarshal takes.
func TestDecoderAllocatesLess(t *testing.T) {
	p := pod(1)
	frame := wire.Frame{Encoding: wire.Protobuf, Bytes: must1(p.Marshal())}
	d := wire.NewDecoder(wire.NewPlan(reflect.TypeFor[*corev1.Pod]()))
	plain := testing.AllocsPerRun(10, func() { _ = frame.Decode(&corev1.Pod{}) })
	if got := testing.AllocsPerRun(10, func() { _ = d.Decode(frame, &corev1.Pod{}) }); got > plain/2 {
		t.Errorf("%v allocations, %v by Unmarshal", got, plain)
	}
}

// An object of which much is left to Unmarshal leaves no memory behind.
func TestDecoderKeepsNoLargeBuffer(t *testing.T) {
	secret := &corev1.Secret{Data: map[string][]byte{"large": make([]byte, 1<<20)}}
	d := wire.NewDecoder(wire.NewPlan(reflect.TypeFor[*corev1.Secret]()))
	if err := d.Decode(wire.Frame{Encoding: wire.Protobuf, Bytes: must1(secret.Marshal())}, &corev1.Secret{}); err != nil {
		t.Fatal(err)
	}
	if n := wire.Kept(d); n > 64<<10 {
		t.Errorf("it keeps %d bytes", n)
	}
}

// A number of more than 32 bits, of which generated code drops what is too much, does not change the order of what comes.
func TestDecoderKeepsOrder(t *testing.T) {
	const reason = 3
	b := []byte{reason<<3 | 2, 1, 'a'}
	b = binary.AppendUvarint(b, (1<<32|reason)<<3|2)
	b = append(b, 1, 'b', reason<<3|2, 1, 'c')
	pointer := reflect.TypeFor[*corev1.Event]()
	sameDecoded(t, wire.NewDecoder(wire.NewPlan(pointer)), wire.Frame{Encoding: wire.Protobuf, Bytes: b}, pointer)
}

type panicking struct{ corev1.Pod }

func (*panicking) Unmarshal([]byte) error { panic("hunter2") }

// An Unmarshal that panics is an error, and the next object is decoded.
func TestDecoderRecovers(t *testing.T) {
	d := wire.NewDecoder(wire.NewPlan(reflect.TypeFor[*panicking]()))
	err := d.Decode(wire.Frame{Encoding: wire.Protobuf, Bytes: []byte{0x0a, 0x00}}, &panicking{})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
	sameDecoded(t, d, wire.Frame{Encoding: wire.Protobuf, Bytes: []byte{0x0a, 0x00}}, reflect.TypeFor[*corev1.Pod]())
}

// messages returns the pointers to all built-in types that come in protobuf, in order.
func messages() []reflect.Type {
	var all []reflect.Type
	for _, t := range scheme.Scheme.AllKnownTypes() {
		pointer := reflect.PointerTo(t)
		if pointer.Implements(reflect.TypeFor[marshaler]()) && pointer.Implements(reflect.TypeFor[metav1.Object]()) {
			all = append(all, pointer)
		}
	}
	slices.SortFunc(all, func(a, b reflect.Type) int {
		return strings.Compare(a.Elem().PkgPath()+a.String(), b.Elem().PkgPath()+b.String())
	})
	return all
}

type marshaler interface{ Marshal() ([]byte, error) }

// A filler makes messages of random content.
type filler struct{ *rand.Rand }

func (f filler) message(pointer reflect.Type) []byte {
	v := reflect.New(pointer.Elem())
	f.fill(v.Elem(), 7)
	return must1(v.Interface().(marshaler).Marshal())
}

// damage changes a byte, takes something out, or repeats something.
func (f filler) damage(b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	from := f.IntN(len(b))
	to := from + f.IntN(min(len(b)-from, 20)+1)
	switch f.IntN(3) {
	case 0:
		b = slices.Clone(b)
		b[from] ^= 1 << f.IntN(8)
		return b
	case 1:
		return slices.Concat(b[:from], b[to:])
	}
	return slices.Concat(b[:to], b[from:])
}

func (f filler) fill(v reflect.Value, depth int) {
	switch into := v.Addr().Interface().(type) {
	case *metav1.Time:
		*into = metav1.Unix(f.Int64N(1<<32), 0)
		return
	case *metav1.MicroTime:
		*into = metav1.NewMicroTime(metav1.Unix(f.Int64N(1<<32), 0).Time)
		return
	case *resource.Quantity:
		*into = *resource.NewMilliQuantity(f.Int64N(1<<20), resource.DecimalSI)
		return
	case *metav1.FieldsV1:
		into.SetRawBytes([]byte(`{"f:spec":{}}`))
		return
	}
	f.fillKind(v, depth)
}

func (f filler) fillKind(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.Repeat(string(rune('a'+f.IntN(4))), f.IntN(4)*f.IntN(30)))
	case reflect.Bool:
		v.SetBool(f.IntN(2) == 0)
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(int32(f.Uint32())) >> f.IntN(32))
	case reflect.Uint8:
		v.SetUint(f.Uint64N(256))
	case reflect.Pointer:
		if depth > 0 && f.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			f.fill(v.Elem(), depth-1)
		}
	case reflect.Slice:
		if n := f.IntN(4); depth > 0 && n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				f.fill(v.Index(i), depth-2)
			}
		}
	case reflect.Map:
		f.fillMap(v, depth)
	case reflect.Struct:
		for field, part := range v.Fields() {
			if tag := field.Tag.Get("protobuf"); tag != "" && tag != "-" && field.IsExported() {
				f.fill(part, depth)
			}
		}
	}
}

func (f filler) fillMap(v reflect.Value, depth int) {
	v.Set(reflect.MakeMap(v.Type()))
	for range f.IntN(4) {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key, depth)
		f.fill(value, depth-1)
		v.SetMapIndex(key, value)
	}
}
