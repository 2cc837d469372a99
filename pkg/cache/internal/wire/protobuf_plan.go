package wire

import (
	"reflect"
	"strconv"
	"strings"
	"unsafe"
)

// A Plan says how objects of a Go type are read from protobuf by a [Decoder]. It may be used by several of them at the same
// time.
type Plan struct{ root *messagePlan } // nil for an empty one

// NewPlan returns the plan for pointers of a type. Where its fields have the tags that go-to-protobuf writes, they are read
// after these, else by Unmarshal. Of a type that is no protobuf message the plan is empty.
func NewPlan(pointer reflect.Type) *Plan {
	return &Plan{planner{}.message(pointer.Elem())}
}

// An unmarshaler is a message that can read itself, and adds what it reads to what it has.
type unmarshaler interface {
	Reset()
	Unmarshal(b []byte) error
}

// A messagePlan is that of one type. What it has no reader for is left to the type's own Unmarshal.
type messagePlan struct {
	typ     reflect.Type
	readers []fieldReader // by number
}

// A fieldReader puts the value of a field where it belongs in the struct, or says that it can't.
type fieldReader struct {
	kind   uint64 // on the wire
	offset uintptr
	read   readFunc
}

type readFunc = func(d *Decoder, v value, to unsafe.Pointer) bool

const mostPlanned = 128 // numbers from here on are left to Unmarshal

// reader returns the reader of the field with a tag, or nil.
func (p *messagePlan) reader(tag uint64) *fieldReader {
	if number := tag >> 3; number < uint64(len(p.readers)) && p.readers[number].read != nil {
		return &p.readers[number]
	}
	return nil
}

// own has the type read the bytes itself.
func (p *messagePlan) own(b []byte, into unsafe.Pointer) bool {
	return reflect.NewAt(p.typ, into).Interface().(unmarshaler).Unmarshal(b) == nil
}

// A planner makes one plan for each type, so that types may contain themselves.
type planner map[reflect.Type]*messagePlan

// message returns the plan of a struct, or nil if it is no message.
func (p planner) message(t reflect.Type) *messagePlan {
	if t.Kind() != reflect.Struct || !reflect.PointerTo(t).Implements(reflect.TypeFor[unmarshaler]()) {
		return nil
	}
	if plan, ok := p[t]; ok {
		return plan
	}
	plan := &messagePlan{typ: t}
	p[t] = plan
	for f := range t.Fields() {
		tag := strings.Split(f.Tag.Get("protobuf"), ",")
		if len(tag) < 3 || !f.IsExported() {
			continue
		}
		number, err := strconv.ParseUint(tag[1], 10, 64)
		if err != nil || number == 0 || number >= mostPlanned {
			continue
		}
		if kind, read := p.field(f.Type, number, tag[0], tag[2]); read != nil {
			plan.readers = append(plan.readers, make([]fieldReader, max(0, int(number)+1-len(plan.readers)))...)
			plan.readers[number] = fieldReader{kind, f.Offset, read}
		}
	}
	return plan
}

// field returns the reader of a field, of the encoding and the cardinality that its tag has, if there is one.
func (p planner) field(t reflect.Type, number uint64, encoding, cardinality string) (kind uint64, read readFunc) {
	repeated := cardinality == "rep"
	switch {
	case encoding == "varint" && !repeated:
		return wireVarint, numberReader(t)
	case encoding == "bytes" && repeated:
		return wireBytes, p.repeated(t, number<<3|wireBytes)
	case encoding == "bytes":
		return wireBytes, p.single(t)
	}
	return 0, nil
}

func (p planner) single(t reflect.Type) readFunc {
	switch {
	case t.Kind() == reflect.String:
		return readText
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.String:
		return pointer[string](readText)
	case t.Kind() == reflect.Pointer:
		if plan := p.message(t.Elem()); plan != nil {
			return plan.readPointer
		}
	default:
		if plan := p.message(t); plan != nil {
			return plan.read
		}
	}
	return nil
}

func (p planner) repeated(t reflect.Type, tag uint64) readFunc {
	switch {
	case t == reflect.TypeFor[map[string]string]():
		return readTextMap
	case t.Kind() != reflect.Slice || reflect.PointerTo(t).Implements(reflect.TypeFor[unmarshaler]()):
	case t.Elem().Kind() == reflect.String:
		return readTexts(tag)
	default:
		if plan := p.message(t.Elem()); plan != nil {
			return plan.readElement(t, tag)
		}
	}
	return nil
}

func numberReader(t reflect.Type) readFunc {
	switch t.Kind() {
	case reflect.Bool:
		return readBool
	case reflect.Int32:
		return readInt[int32]
	case reflect.Int64:
		return readInt[int64]
	case reflect.Pointer:
		switch t.Elem().Kind() {
		case reflect.Bool:
			return pointer[bool](readBool)
		case reflect.Int32:
			return pointer[int32](readInt[int32])
		case reflect.Int64:
			return pointer[int64](readInt[int64])
		}
	}
	return nil
}
