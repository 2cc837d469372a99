package store

// Ahead is the most keys that [Transaction.Prefetch] takes.
const Ahead = 32

// Prefetch makes the processor load what the Finds of these keys, at most [Ahead], will need. It changes nothing, and returns
// how many of them it expects to find objects.
//
// A Find waits for memory several times, each time for what the one before has brought. Those of several keys do not
// depend on each other, and one loop for each step lets the processor wait for them at the same time.
func (t *Transaction[K, T]) Prefetch(keys []K) (expected int) {
	var hashes, places [Ahead]uint32
	for i, key := range keys {
		hashes[i] = t.store.hash(t.store.text(key))
	}
	l := t.store.latest.Load()
	for i := range keys {
		places[i] = l.places[l.home(hashes[i])].Load()
	}
	for i := range keys {
		number := places[i] ^ hashes[i]<<l.bits
		if places[i] != 0 && number>>l.bits == 0 && l.expects(number-1) {
			expected++
		}
	}
	return expected
}

// expects looks at all that belongs to a number.
func (l *latest[T]) expects(number uint32) bool {
	_, there := l.cell(number).get(l.arePointers)
	return there && (l.text(number)[0] != 0 || l.note(number).slot != 0 || l.text(number)[1] != 0)
}
