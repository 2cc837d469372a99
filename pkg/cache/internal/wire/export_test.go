package wire

// Fields calls each with the number and the value of every field of a protobuf message.
func Fields(b []byte, each func(number int, value []byte)) {
	m := message{b: b, end: len(b)}
	for f, ok := m.next(); ok; f, ok = m.next() {
		each(f.number, m.of(f))
	}
}

// Kept returns how many bytes a decoder keeps for fields that are left to Unmarshal.
func Kept(d *Decoder) int { return cap(d.rest) }

// Reads says whether a decoder reads an object itself.
func Reads(d *Decoder, f Frame, into any) bool { return d.read(f, into) }
