package wire

// WithoutManagedFields returns the frame without metadata.managedFields, which usually are a third of an object and seldom
// looked at. They are cut out of the frame's bytes in place, so f must not be used any more. An object that is broken stays
// broken.
func (f Frame) WithoutManagedFields() Frame {
	c := cutting{b: f.Bytes}
	w := over(f.Bytes)
	switch f.Encoding {
	case JSON:
		c.json(&w)
	case Protobuf:
		c.protobuf(message{b: f.Bytes, end: len(f.Bytes)})
	case CBOR:
		c.cbor(&w)
	}
	f.Bytes = c.done()
	return f
}

// A cutting takes pieces out of bytes, in place and in one pass.
type cutting struct {
	b        []byte
	to, from int // b[:to] is done, b[from:] is to do
}

// cut takes b[start:end] out. Pieces come in order.
func (c *cutting) cut(start, end int) {
	c.to += copy(c.b[c.to:], c.b[c.from:start])
	c.from = end
}

func (c *cutting) done() []byte {
	if c.from == 0 {
		return c.b
	}
	c.cut(len(c.b), len(c.b))
	return c.b[:c.to]
}

// json cuts the object at pos. A piece that is cut includes the comma that went with it.
func (c *cutting) json(w *window) {
	err := w.jsonOpen('{', errJSONObject)
	for first := true; err == nil; first = false {
		key, ok, keyErr := w.jsonKey(first)
		if !ok || keyErr != nil {
			return
		}
		if string(key) == "metadata" {
			c.jsonMeta(w)
			return
		}
		err = w.jsonSkip()
	}
}

func (c *cutting) jsonMeta(w *window) {
	if w.jsonOpen('{', errJSONObject) != nil {
		return
	}
	before := nothing // end of the last member that stays
	for first := true; ; first = false {
		start := max(w.pos, c.from) // a comma is cut once
		key, ok, err := w.jsonKey(first)
		managed := ok && string(key) == "managedFields"
		if !ok || err != nil || w.jsonSkip() != nil {
			return
		}
		switch {
		case !managed:
			before = w.pos
		case before != nothing:
			c.cut(before, w.pos)
			before = w.pos
		default:
			end := w.pos
			if next, err := w.jsonPeek(); err == nil && next == ',' {
				end = w.pos + 1
			}
			c.cut(start, end)
		}
	}
}
