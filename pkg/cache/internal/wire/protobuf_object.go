package wire

// protobuf reads an object as far as it's whole.
func (id *reading) protobuf(m message) {
	for f, ok := m.next(); ok; f, ok = m.next() {
		if f.number == objectMeta && f.kind == wireBytes {
			id.protobufMeta(m.in(f))
		}
	}
}

func (id *reading) protobufMeta(m message) {
	for f, ok := m.next(); ok; f, ok = m.next() {
		if f.kind != wireBytes || !f.whole {
			continue
		}
		switch f.number {
		case metaName:
			id.Name = view(m.of(f))
		case metaNamespace:
			id.Namespace = view(m.of(f))
		case metaUID:
			id.UID = view(m.of(f))
		case metaVersion:
			id.ResourceVersion = view(m.of(f))
		}
	}
}

// protobuf cuts an object.
func (c *cutting) protobuf(m message) {
	for f, ok := m.next(); ok; f, ok = m.next() {
		if f.number == objectMeta && f.kind == wireBytes && f.whole {
			c.protobufMeta(m.in(f), f)
		}
	}
}

// protobufMeta cuts the managed fields out of metadata, after it has made its length so much shorter. The number for the
// length keeps its number of bytes: decoders don't insist on the shortest form.
func (c *cutting) protobufMeta(m message, meta field) {
	fields := m
	managed := 0
	for f, ok := m.next(); ok; f, ok = m.next() {
		if f.number == metaManaged {
			managed += f.end - f.begin
		}
	}
	if managed == 0 || m.broken {
		return
	}
	padded(c.b[meta.begin:meta.start], uint64(meta.end-meta.start-managed))
	for f, ok := fields.next(); ok; f, ok = fields.next() {
		if f.number == metaManaged {
			c.cut(f.begin, f.end)
		}
	}
}

// padded writes a number over the one that ends a header, with as many bytes. The tag in front of it has one byte.
func padded(header []byte, v uint64) {
	number := header[1:]
	for i := range number {
		number[i] = byte(v) | 0x80
		v >>= 7
	}
	number[len(number)-1] &^= 0x80
}
