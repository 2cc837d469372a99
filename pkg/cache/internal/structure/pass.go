package structure

import (
	"hash/maphash"
	"math/bits"
	"unsafe"
)

// maxDepth is how many parts may be nested; cycles end there.
const maxDepth = 200

// A scan is the first pass over a value.
type scan struct {
	seed    maphash.Seed
	records []record
	depth   int
	broken  bool // something was met that is not understood
}

// A record says of a part what the first pass found, for the second one.
type record struct {
	hash  uint64
	end   int    // the index of the first record that is not within the part
	key   string // where the part is in the map around it
	equal bool   // the part is understood, so that equal ones can be found
	leave bool   // the part is nested too deep and was not looked into
}

func (s *scan) reset(seed maphash.Seed) {
	clear(s.records) // no keys stay alive
	s.records, s.seed, s.depth, s.broken = s.records[:0], seed, 0, false
}

// begin begins the record of a part, unless it is too deep. The caller passes on to finish what it returns.
func (s *scan) begin() (index int, outer, ok bool) {
	index, outer = len(s.records), s.broken
	s.records = append(s.records, record{})
	s.depth++
	s.broken = s.depth > maxDepth
	s.records[index].leave = s.broken
	return index, outer, !s.broken
}

func (s *scan) finish(index int, outer bool, hash uint64) uint64 {
	r := &s.records[index]
	r.hash, r.end, r.equal = hash|1, len(s.records), !s.broken
	s.broken = s.broken || outer
	s.depth--
	return hash
}

func (s *scan) string(v string) uint64 { return maphash.String(s.seed, v) }
func (s *scan) bytes(v []byte) uint64  { return maphash.Bytes(s.seed, v) }

// mix combines two hashes, in that order, by folding a product of 128 bits, as wyhash does.
func mix(a, b uint64) uint64 {
	high, low := bits.Mul64(a^0xa0761d6478bd642f, b^0xe7037ed1a0b428db)
	return high ^ low
}

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

// clip takes away the room in which somebody might append: also that of a slice which is not shared itself, since what
// it is in may be.
func (w *walk) clip(h *header) {
	if w.strings || h.cap == h.len {
		return
	}
	h.cap = h.len
	if h.len == 0 {
		h.data = unsafe.Pointer(new(struct{})) // not nil, and not the array
	}
}

// rememberSlice makes the slice at h known.
func (w *walk) rememberSlice(h *header, r *record, n node) {
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
