package wire

import (
	"hash/maphash"
	"reflect"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	knownTexts  = 2048     // strings that a Decoder remembers
	longestText = 64       // bytes of such a string
	mostRest    = 64 << 10 // bytes kept for the fields of an object that are left to its own Unmarshal
)

// A Decoder decodes many objects of one type. In protobuf it does so with less than [Frame.Decode]: a string that is in many
// objects is there once, and slices are made as long as they are to be. The result is equal. A Decoder isn't safe for
// concurrent use. It takes some 32 kB, and keeps up to 128 kB of strings reachable.
type Decoder struct {
	plan  *Plan
	seed  maphash.Seed
	texts []string // by hash
	rest  []byte   // fields without a reader, of the messages that are being read, those of the innermost last
}

// NewDecoder returns a decoder of what the plan is for.
func NewDecoder(plan *Plan) *Decoder {
	return &Decoder{plan: plan, seed: maphash.MakeSeed()}
}

// Decode is [Frame.Decode].
func (d *Decoder) Decode(f Frame, into any) error {
	if f.Encoding == Protobuf && d.read(f, into) {
		return nil
	}
	return f.Decode(into)
}

// read says whether it has read the object: not of another type, nor one that is broken or unusual.
func (d *Decoder) read(f Frame, into any) (ok bool) {
	if d.plan.root == nil || f.Bytes == nil || reflect.TypeOf(into) != reflect.PointerTo(d.plan.root.typ) {
		return false
	}
	defer func() {
		if recover() != nil { // as it does again in Frame.Decode, which tells
			ok = false
		}
		d.tidy()
	}()
	if d.texts == nil {
		d.texts = make([]string, knownTexts)
	}
	into.(unmarshaler).Reset()
	if !d.message(d.plan.root, f.Bytes, reflect.ValueOf(into).UnsafePointer()) {
		return false
	}
	if object, ok := into.(runtime.Object); ok {
		object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	}
	return true
}

func (d *Decoder) tidy() {
	d.rest = d.rest[:0]
	if cap(d.rest) > mostRest {
		d.rest = nil
	}
}

// text returns a string of the bytes, the one that was returned for equal bytes before if that is remembered.
func (d *Decoder) text(b []byte) string {
	if len(b) > longestText {
		return string(b)
	}
	known := &d.texts[maphash.Bytes(d.seed, b)%knownTexts]
	if *known != string(b) {
		*known = string(b)
	}
	return *known
}
