package structure

import (
	"hash/maphash"
	"unsafe"
)

// maxString is the length in bytes from which strings are not remembered one by one. Longer ones are rarely equal unless
// what they are in is.
const maxString = 256

// A table remembers parts and strings.
type table struct {
	seed    maphash.Seed // so that nobody can choose keys that collide
	parts   memory[part]
	strings memory[string]
	boxes   memory[any] // strings in interfaces
}

func newTable(limit int) table {
	return table{
		seed:    maphash.MakeSeed(),
		parts:   newMemory[part](limit),
		strings: newMemory[string](limit),
		boxes:   newMemory[any](limit),
	}
}

// advance counts one more value that is walked.
func (t *table) advance() {
	t.parts.advance()
	t.strings.advance()
	t.boxes.advance()
}

// A part is something that can be shared. Its capacity is its length, so that nobody appends to what others share.
type part struct {
	node node // its type
	data unsafe.Pointer
	len  int // of a slice
}

// find returns the remembered part with that hash and type, if there is one.
func (t *table) find(hash uint64, n node) (part, bool) {
	found, ok := t.parts.get(hash)
	if !ok || found.node != n {
		return part{}, false
	}
	return *found, true
}

// intern returns the remembered string that equals s. If there is none it remembers s and returns false.
func (t *table) intern(s string) (known string, ok bool) {
	if len(s) > maxString || s == "" {
		return s, true
	}
	hash := maphash.String(t.seed, s) | 1
	if known, ok := t.strings.get(hash); ok && *known == s {
		return *known, true
	}
	t.strings.put(hash, s)
	return s, false
}

// internBox does as much for a string in an interface.
func (t *table) internBox(s string, box any) any {
	if len(s) > maxString || s == "" {
		return box
	}
	hash := maphash.String(t.seed, s) | 1
	if known, ok := t.boxes.get(hash); ok && *known == any(s) {
		return *known
	}
	t.boxes.put(hash, box)
	return box
}

// luck counts how often in a row something was new at one place of a plan: the parts of one type, the strings of one
// field. Where nothing is ever known, as with what holds a name or a time, asking costs more than it gains, and what is
// remembered takes the place of better. So from patience on only every nth is asked for and remembered, until one is
// known.
type luck struct {
	misses uint32
}

const (
	patience = 1024
	nth      = 16
)

// try says whether to ask for the next one.
func (l *luck) try() bool {
	if l.misses < patience || l.misses%nth == 0 {
		return true
	}
	l.misses++
	return false
}

// learn takes note of whether it was known.
func (l *luck) learn(known bool) {
	if known {
		l.misses = 0
		return
	}
	l.misses++
	if l.misses == 0 {
		l.misses = patience
	}
}
