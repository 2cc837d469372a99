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
