package wire

import (
	"bytes"
	"encoding/binary"
)

// protobufWatch cuts a watch in protobuf: frames of a length in 4 bytes, the most significant first, and a meta/v1
// WatchEvent. Its RawExtension has the magic number and a runtime.Unknown, whose raw is the object.
type protobufWatch struct {
	most             int64  // bytes of a frame
	apiVersion, kind string // of the last object
}

func (p *protobufWatch) between(w *window) (bool, error) {
	ended, err := w.ended()
	return !ended, err
}

func (p *protobufWatch) next(w *window) (event, error) {
	if err := w.need(4); err != nil {
		return event{}, err
	}
	n := int64(binary.BigEndian.Uint32(w.buf[w.pos:]))
	if n > p.most {
		return event{}, errLongEvent
	}
	w.pos += 4
	w.hold()
	if err := w.skip(n); err != nil {
		return event{}, err
	}
	if w.lost {
		return p.beginning(w), nil
	}
	e, object, ok := p.event(message{b: w.buf, at: w.kept, end: w.pos})
	if !ok {
		return event{}, errProtobufEvent
	}
	if object.number == 0 {
		w.kept = nothing
		return e, nil
	}
	w.kept, e.size = object.start, object.end-object.start
	return e, nil
}

// beginning reads what is there of a frame that is too large.
func (p *protobufWatch) beginning(w *window) event {
	e, object, _ := p.event(message{b: w.head, end: len(w.head)})
	w.head = w.head[object.start:object.end]
	return e
}

// event reads an event and finds the object in it; false means that it's not whole.
func (p *protobufWatch) event(m message) (e event, object field, ok bool) {
	ok = true
	for f, more := m.next(); more; f, more = m.next() {
		switch {
		case f.kind != wireBytes:
		case f.number == watchType && f.whole:
			e.kind = eventType(m.of(f))
		case f.number == watchObject:
			found, whole := p.extension(m.in(f), &e)
			if ok = ok && whole; found.number != 0 {
				object = found
			}
		}
	}
	return e, object, ok && !m.broken
}

func (p *protobufWatch) extension(m message, e *event) (object field, ok bool) {
	ok = true
	for f, more := m.next(); more; f, more = m.next() {
		if f.number == extension && f.kind == wireBytes {
			object, ok = p.unknown(m.in(f), e)
		}
	}
	return object, ok && !m.broken
}

func (p *protobufWatch) unknown(m message, e *event) (object field, ok bool) {
	if !bytes.HasPrefix(m.b[m.at:m.end], []byte(protobufMagic)) {
		return object, m.at == m.end
	}
	m.at += len(protobufMagic)
	for f, more := m.next(); more; f, more = m.next() {
		switch {
		case f.kind != wireBytes:
		case f.number == unknownTypeMeta && f.whole:
			p.typeMeta(m.in(f), e)
		case f.number == unknownRaw:
			object = f
		case f.number == unknownEncoding && f.end > f.start:
			return object, false
		}
	}
	if object.number == 0 { // of which all fields are empty
		object = field{number: unknownRaw, start: m.end, end: m.end}
	}
	return object, !m.broken
}

// typeMeta reads a runtime.TypeMeta. Strings that are the last object's too are not allocated again.
func (p *protobufWatch) typeMeta(m message, e *event) {
	for f, ok := m.next(); ok; f, ok = m.next() {
		switch {
		case f.kind != wireBytes || !f.whole:
		case f.number == typeMetaAPIVersion:
			e.of.apiVersion = again(&p.apiVersion, m.of(f))
		case f.number == typeMetaKind:
			e.of.kind = again(&p.kind, m.of(f))
		}
	}
}

// again returns a string, the last one if that is the same.
func again(last *string, text []byte) string {
	if string(text) != *last {
		*last = string(text)
	}
	return *last
}
