package structure

import (
	"hash/maphash"
	"math/bits"
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
