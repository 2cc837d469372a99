package store

// Ahead is the most keys that [Transaction.Prefetch] takes.
const Ahead = 32

// Prefetch makes the processor load what the Finds of these keys, at most [Ahead], will need, and puts the objects that they
// will probably return, or zero values, into objects, which must be as long. It changes nothing.
//
// A Find waits for memory three or four times, each time for what the one before has brought. Those of several keys do not
// depend on each other, and one loop for each step lets the processor wait for them at the same time.
func (t *Transaction[K, T]) Prefetch(keys []K, objects []T) {
	var hashes [Ahead]uint32
	var records [Ahead]*record[K, T]
	for i, key := range keys {
		hashes[i] = t.store.hash(key)
	}
	l := t.store.latest.Load()
	for i := range keys {
		records[i] = l.places[hashes[i]&l.mask].Load()
	}
	clear(objects)
	for i := range keys {
		if r := records[i]; r != nil {
			objects[i] = r.obj
		}
	}
}
