package wire

import "io"

// protobufList cuts a list in protobuf: the magic number and a runtime.Unknown, whose raw is the list.
type protobufList struct {
	opened bool
	raw    bool  // the list has begun
	until  int64 // its end
}

func (l *protobufList) next(w *window, meta *ListMeta) (bool, error) {
	if err := l.open(w); err != nil {
		return false, err
	}
	for {
		if l.raw && w.offset() < l.until {
			if ok, err := l.field(w, meta); ok || err != nil {
				return ok, err
			}
			continue
		}
		if ended, err := w.ended(); ended || err != nil {
			return false, l.whole(err)
		}
		if err := l.unknown(w, meta); err != nil {
			return false, err
		}
	}
}

func (l *protobufList) open(w *window) error {
	if l.opened {
		return nil
	}
	l.opened = true
	magic, err := w.text(uint64(len(protobufMagic)))
	if err == nil && string(magic) != protobufMagic {
		err = errProtobufMagic
	}
	return err
}

// whole is for the end of the body. Apimachinery takes an Unknown without raw for an empty list, but the server always sends
// one, and without it a body that breaks off early would pass for an empty list.
func (l *protobufList) whole(err error) error {
	if err == nil && !l.raw {
		return io.ErrUnexpectedEOF
	}
	return err
}

// unknown reads a field of the runtime.Unknown.
func (l *protobufList) unknown(w *window, meta *ListMeta) error {
	number, kind, err := w.protobufTag()
	if err != nil {
		return err
	}
	if kind != wireBytes {
		return w.protobufSkip(kind)
	}
	n, err := w.protobufVarint()
	switch {
	case err != nil:
		return err
	case number == unknownRaw:
		return l.begin(w, n)
	case number == unknownEncoding && n > 0:
		return errProtobufCoded
	}
	value, err := w.text(n)
	if err == nil && number == unknownTypeMeta {
		err = l.typeMeta(value, meta)
	}
	return err
}

// begin enters the list.
func (l *protobufList) begin(w *window, n uint64) error {
	switch {
	case l.raw:
		return errProtobufRaw
	case n > uint64(w.left)+uint64(w.end-w.pos):
		w.err = ErrListTooLarge
		return w.err
	}
	l.raw, l.until = true, w.offset()+int64(n)
	return nil
}

// field reads a field of the list and returns whether it is an item.
func (l *protobufList) field(w *window, meta *ListMeta) (bool, error) {
	number, kind, err := w.protobufTag()
	if err != nil {
		return false, err
	}
	if kind != wireBytes {
		if err := w.protobufSkip(kind); err != nil {
			return false, err
		}
		return false, l.within(w, 0)
	}
	n, err := w.protobufVarint()
	if err == nil {
		err = l.within(w, n)
	}
	switch {
	case err != nil:
		return false, err
	case number == listItems:
		w.hold()
		return true, w.skip(int64(n))
	case number == listMeta:
		return false, l.meta(w, n, meta)
	}
	return false, w.skip(int64(n))
}

func (l *protobufList) within(w *window, n uint64) error {
	if left := l.until - w.offset(); left < 0 || n > uint64(left) {
		return errProtobufLength
	}
	return nil
}

func (l *protobufList) meta(w *window, n uint64, meta *ListMeta) error {
	value, err := w.text(n)
	if err != nil {
		return err
	}
	m := message{b: value, end: len(value)}
	for f, ok := m.next(); ok; f, ok = m.next() {
		switch {
		case f.kind != wireBytes:
		case f.number == listMetaVersion:
			meta.ResourceVersion = string(m.of(f))
		case f.number == listMetaContinue:
			meta.Continue = string(m.of(f))
		}
	}
	if m.broken {
		return errProtobufLength
	}
	return nil
}

func (l *protobufList) end(*window) error { return nil }

func (l *protobufList) typeMeta(b []byte, meta *ListMeta) error {
	m := message{b: b, end: len(b)}
	for f, ok := m.next(); ok; f, ok = m.next() {
		switch {
		case f.kind != wireBytes:
		case f.number == typeMetaAPIVersion:
			meta.APIVersion = string(m.of(f))
		case f.number == typeMetaKind:
			meta.Kind = string(m.of(f))
		}
	}
	if m.broken {
		return errProtobufLength
	}
	return nil
}
