package wire

import (
	"reflect"
	"slices"
	"unsafe"
)

// message reads a message into the struct that the plan is for. False means that it has to be read in another way, for
// which nothing of the struct counts.
func (d *Decoder) message(p *messagePlan, b []byte, into unsafe.Pointer) bool {
	if len(p.readers) == 0 {
		return p.own(b, into)
	}
	mark := len(d.rest)
	m := message{b: b, end: len(b)}
	for m.at < m.end {
		begin := m.at
		tag, ok := m.short()
		switch r := p.reader(tag); {
		case r == nil:
			m.at = begin
			ok = d.leave(p, &m)
		case ok && tag&7 == r.kind:
			v, whole := m.one(r.kind)
			ok = whole && r.read(d, v, unsafe.Add(into, r.offset))
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	rest := d.rest[mark:]
	d.rest = d.rest[:mark]
	return len(rest) == 0 || p.own(rest, into)
}

// leave puts a field among those that are left to Unmarshal: all of a number, or none, so that their order stays.
func (d *Decoder) leave(p *messagePlan, m *message) bool {
	f, ok := m.next()
	d.rest = append(d.rest, m.b[f.begin:f.end]...)
	return ok && f.whole && p.reader(uint64(f.number)<<3) == nil
}

// A value is that of a field: a number, or bytes, behind which their capacity has what follows in the message.
type value struct {
	bytes  []byte
	number uint64
}

// one reads the value of a field with a reader.
func (m *message) one(kind uint64) (v value, ok bool) {
	n, ok := m.short()
	if kind == wireVarint {
		return value{number: n}, ok
	}
	start := m.at
	if !ok || !m.skip(n) {
		return v, false
	}
	return value{bytes: m.b[start:m.at:m.end]}, true
}

// short is varint, faster for numbers of one byte.
func (m *message) short() (uint64, bool) {
	if m.at < m.end && m.b[m.at] < 0x80 {
		m.at++
		return uint64(m.b[m.at-1]), true
	}
	return m.varint()
}

// run returns how many fields like the one that has been read there are in a row, that one included.
func (v value) run(tag uint64) int {
	ahead := message{b: v.bytes[:cap(v.bytes)], at: len(v.bytes), end: cap(v.bytes)}
	n := 1
	for ahead.at < ahead.end {
		if next, ok := ahead.short(); !ok || next != tag {
			break
		}
		if length, ok := ahead.short(); !ok || !ahead.skip(length) {
			break
		}
		n++
	}
	return n
}

func (p *messagePlan) read(d *Decoder, v value, to unsafe.Pointer) bool {
	return d.message(p, v.bytes, to)
}

func (p *messagePlan) readPointer(d *Decoder, v value, to unsafe.Pointer) bool {
	place := (*unsafe.Pointer)(to)
	if *place == nil {
		*place = reflect.New(p.typ).UnsafePointer()
	}
	return d.message(p, v.bytes, *place)
}

// A slice is how Go has it in memory.
type slice struct {
	data     unsafe.Pointer
	len, cap int
}

// readElement returns the reader of a slice of messages. It makes the slice as long as it will be.
func (p *messagePlan) readElement(t reflect.Type, tag uint64) readFunc {
	size := p.typ.Size()
	return func(d *Decoder, v value, to unsafe.Pointer) bool {
		s := (*slice)(to)
		if s.len == s.cap {
			reflect.NewAt(t, to).Elem().Grow(v.run(tag))
		}
		s.len++
		return d.message(p, v.bytes, unsafe.Add(s.data, uintptr(s.len-1)*size))
	}
}

func readText(d *Decoder, v value, to unsafe.Pointer) bool {
	*(*string)(to) = d.text(v.bytes)
	return true
}

func readTexts(tag uint64) readFunc {
	return func(d *Decoder, v value, to unsafe.Pointer) bool {
		s := (*[]string)(to)
		if len(*s) == cap(*s) {
			*s = slices.Grow(*s, v.run(tag))
		}
		*s = append(*s, d.text(v.bytes))
		return true
	}
}

// readTextMap reads an entry, which has its key as field 1 and its value as field 2.
func readTextMap(d *Decoder, v value, to unsafe.Pointer) bool {
	var entry [2]string
	e := message{b: v.bytes, end: len(v.bytes)}
	for part, ok := e.next(); ok; part, ok = e.next() {
		if !part.whole || part.kind != wireBytes || part.number > len(entry) {
			return false
		}
		entry[part.number-1] = d.text(e.of(part))
	}
	m := (*map[string]string)(to)
	if *m == nil {
		*m = make(map[string]string)
	}
	(*m)[entry[0]] = entry[1]
	return !e.broken
}

func readBool(_ *Decoder, v value, to unsafe.Pointer) bool {
	*(*bool)(to) = v.number != 0
	return true
}

func readInt[N int32 | int64](_ *Decoder, v value, to unsafe.Pointer) bool {
	*(*N)(to) = N(v.number)
	return true
}

// pointer returns a reader that puts what read reads where the field points to.
func pointer[N any](read readFunc) readFunc {
	return func(d *Decoder, v value, to unsafe.Pointer) bool {
		n := new(N)
		*(**N)(to) = n
		return read(d, v, unsafe.Pointer(n))
	}
}
