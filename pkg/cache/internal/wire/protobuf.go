package wire

import "errors"

// protobufMagic begins what is not in a stream, see serializer/protobuf in apimachinery. Behind it is a runtime.Unknown.
const protobufMagic = "k8s\x00"

// Numbers of fields, see the generated.proto of apimachinery's runtime and meta/v1.
const (
	unknownTypeMeta = 1 // of runtime.Unknown
	unknownRaw      = 2
	unknownEncoding = 3

	typeMetaAPIVersion = 1 // of runtime.TypeMeta
	typeMetaKind       = 2

	listMeta  = 1 // of every list
	listItems = 2

	listMetaVersion  = 2 // of meta/v1 ListMeta
	listMetaContinue = 3

	watchType   = 1 // of meta/v1 WatchEvent
	watchObject = 2
	extension   = 1 // of runtime.RawExtension

	objectMeta = 1 // of every object

	metaName      = 1 // of meta/v1 ObjectMeta
	metaNamespace = 3
	metaUID       = 5
	metaVersion   = 6
	metaManaged   = 17
)

// Wire types, see protobuf.dev/programming-guides/encoding.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireGroup   = 3
	wireEnd     = 4
	wireFixed32 = 5
)

var (
	errProtobufMagic  = errors.New("the magic number of Kubernetes is expected")
	errProtobufVarint = errors.New("a number has too many bytes")
	errProtobufField  = errors.New("a field has no valid tag")
	errProtobufLength = errors.New("a length goes beyond what is around it")
	errProtobufRaw    = errors.New("there is more than one object")
	errProtobufCoded  = errors.New("the content has an encoding of its own")
	errProtobufEvent  = errors.New("an event is broken")
)

// A message is a protobuf message in memory, from b[at] to b[end], read field by field.
type message struct {
	b       []byte
	at, end int
	broken  bool // it didn't end with a field
}

// A field is one of a message, at b[begin:end] with its value at b[start:end].
type field struct {
	number, kind      int
	begin, start, end int
	whole             bool // else the message ends before the value does
}

// next returns the next field, or false at the end or where the message is broken. A value that is cut off is returned as
// far as it goes; nothing comes behind it.
func (m *message) next() (f field, ok bool) {
	if m.at >= m.end || m.broken {
		return f, false
	}
	f.begin = m.at
	tag, ok := m.varint()
	f.number, f.kind, f.start = fieldNumber(tag), int(tag&7), m.at
	if !ok || f.number <= 0 {
		m.broken = true
		return f, false
	}
	f.whole = m.value(&f)
	f.end, m.broken = m.at, !f.whole
	return f, f.whole || f.kind == wireBytes
}

// value goes behind the value of a field.
func (m *message) value(f *field) bool {
	switch f.kind {
	case wireVarint:
		_, ok := m.varint()
		return ok
	case wireFixed64:
		return m.skip(8)
	case wireFixed32:
		return m.skip(4)
	case wireBytes:
		n, ok := m.varint()
		f.start = m.at
		return ok && m.skip(n)
	case wireGroup:
		return m.group()
	}
	return false
}

// group goes behind the end of a group. No type of Kubernetes has one.
func (m *message) group() bool {
	for depth := 1; depth > 0; {
		tag, ok := m.varint()
		if !ok {
			return false
		}
		f := field{kind: int(tag & 7)}
		switch f.kind {
		case wireGroup:
			depth++
		case wireEnd:
			depth--
		default:
			if !m.value(&f) {
				return false
			}
		}
	}
	return true
}

// varint returns a number. Bits beyond the 64th are dropped, as generated code does.
func (m *message) varint() (v uint64, ok bool) {
	for shift := 0; shift < 64 && m.at < m.end; shift += 7 {
		c := m.b[m.at]
		m.at++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v, true
		}
	}
	m.at = m.end
	return 0, false
}

func (m *message) skip(n uint64) bool {
	if n > uint64(m.end-m.at) {
		m.at = m.end
		return false
	}
	m.at += int(n)
	return true
}

// in returns the message that a field is.
func (m *message) in(f field) message { return message{b: m.b, at: f.start, end: f.end} }

// of returns the value of a field.
func (m *message) of(f field) []byte { return m.b[f.start:f.end] }

// protobufVarint consumes a number.
func (w *window) protobufVarint() (uint64, error) {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		if w.pos == w.end {
			if err := w.more(); err != nil {
				return 0, err
			}
		}
		c := w.buf[w.pos]
		w.pos++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v, nil
		}
	}
	return 0, errProtobufVarint
}

// protobufTag consumes a tag.
func (w *window) protobufTag() (number, kind int, err error) {
	tag, err := w.protobufVarint()
	number, kind = fieldNumber(tag), int(tag&7)
	if err == nil && number <= 0 {
		err = errProtobufField
	}
	return number, kind, err
}

// fieldNumber has 32 bits, as in generated code.
func fieldNumber(tag uint64) int { return int(int32(tag >> 3)) }

// protobufSkip consumes the value of a field that nobody knows.
func (w *window) protobufSkip(kind int) error {
	switch kind {
	case wireVarint:
		_, err := w.protobufVarint()
		return err
	case wireFixed64:
		return w.skip(8)
	case wireFixed32:
		return w.skip(4)
	case wireBytes:
		n, err := w.protobufVarint()
		if err == nil && n > 1<<62 {
			err = errProtobufLength
		}
		if err != nil {
			return err
		}
		return w.skip(int64(n))
	case wireGroup:
		return w.protobufSkipGroup()
	}
	return errProtobufField
}

// protobufSkipGroup consumes a group, which no type of Kubernetes has. As in generated code its fields may have any number.
func (w *window) protobufSkipGroup() error {
	for depth := 1; depth > 0; {
		tag, err := w.protobufVarint()
		kind := int(tag & 7)
		switch {
		case err != nil:
		case kind == wireGroup:
			depth++
		case kind == wireEnd:
			depth--
		default:
			err = w.protobufSkip(kind)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
