package wire

// Fields calls each with the number and the value of every field of a protobuf message.
func Fields(b []byte, each func(number int, value []byte)) {
	m := message{b: b, end: len(b)}
	for f, ok := m.next(); ok; f, ok = m.next() {
		each(f.number, m.of(f))
	}
}
