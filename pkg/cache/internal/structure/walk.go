package structure

import "unsafe"

// A walk is the second pass over a value, which replaces its parts. It goes in the order in which the first one went.
// A walk for strings alone has no first pass and no records.
type walk struct {
	table   *table
	records []record
	next    int // record
	strings bool
	depth   int
	known   header // what an equal part is compared with
	none    record // of every part, if there are no records
}

// begin returns the record of the part that the walk is at, and whether to look into it.
func (w *walk) begin() (*record, bool) {
	w.depth++
	if w.strings {
		return &w.none, w.depth <= maxDepth
	}
	r := &w.records[w.next]
	w.next++
	return r, !r.leave
}

func (w *walk) finish() { w.depth-- }

// find looks for a known part with that hash and type, of which luck is the luck.
func (w *walk) find(r *record, n node, luck *luck) (part, bool) {
	if !r.equal {
		return part{}, false
	}
	if !luck.try() {
		r.equal = false // nor is it to be remembered
		return part{}, false
	}
	found, ok := w.table.find(r.hash, n)
	luck.learn(ok)
	return found, ok
}

// replaceSlice replaces the slice at h by an equal one that is known.
func (w *walk) replaceSlice(h *header, r *record, n node, luck *luck) bool {
	found, ok := w.find(r, n, luck)
	if !ok {
		return false
	}
	w.known = header{data: found.data, len: found.len, cap: found.len}
	if !n.equal(unsafe.Pointer(h), unsafe.Pointer(&w.known)) {
		return false
	}
	if *h != w.known {
		*h = w.known
	}
	w.next = r.end
	return true
}

// rememberSlice makes the slice at h known, without room in which somebody might append.
func (w *walk) rememberSlice(h *header, r *record, n node) {
	if !r.equal {
		return
	}
	if h.cap != h.len {
		h.cap = h.len
	}
	w.remember(r, part{node: n, data: h.data, len: h.len})
}

// replacePointer replaces the pointer at p, or the map, by one to something equal that is known.
func (w *walk) replacePointer(p unsafe.Pointer, r *record, n node, luck *luck) bool {
	found, ok := w.find(r, n, luck)
	if !ok {
		return false
	}
	w.known.data = found.data
	if !n.equal(p, unsafe.Pointer(&w.known.data)) {
		return false
	}
	if *at[unsafe.Pointer](p) != found.data {
		*at[unsafe.Pointer](p) = found.data
	}
	w.next = r.end
	return true
}

// rememberPointer makes what the pointer at p points at known, or the map.
func (w *walk) rememberPointer(p unsafe.Pointer, r *record, n node) {
	w.remember(r, part{node: n, data: *at[unsafe.Pointer](p)})
}

func (w *walk) remember(r *record, p part) {
	if r.equal {
		w.table.parts.put(r.hash, p)
	}
}
