package store

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// latest finds the objects of the latest snapshot by their keys: a table that is changed in place, beside the persistent
// one, since that is a long way for the most frequent read.
//
// A get should wait for memory as seldom as possible. What it takes to find the number of a key, five bytes for each, may
// stay in the processor's cache. The text of the key and the cell with the object are at addresses that the number tells,
// so they are fetched at the same time; numbers are given in order, so neighbours share what is fetched. Neither
// the object nor its strings are looked at.
//
//	key ──hash──▶ tag ──▶ number ──▶ text, to compare
//	                             ╰─▶ cell ──▶ object
//
// A key has its number in one of the groups near the one where its hash sends it, the first that had room. Where too many
// keys come together one has none, and is found the long way. A number is of one key until the table is replaced, as one is
// that has become too full, too empty or too narrow; the keys come into the next one a few at a time.
//
// There is one writer at a time, which changes the table before it publishes the snapshot: to a reader of the one before,
// the cell says that it is too new.
type latest[K, T comparable] struct {
	keyOf       func(T) K
	arePointers bool // the objects

	tags    []atomic.Uint64 // a byte of the hash for each place of a group; 0 is free
	numbers []uint32        // by place
	blocks  []block[T]      // of blockSize numbers each
	width   int             // bytes of text

	// Until every key is here, the table before has those that are not.
	before atomic.Pointer[latest[K, T]]

	// Only the writer uses what follows.
	used  int // numbers, also those of keys whose objects have gone
	moved int // numbers of the table before that are here
}

// A block has what belongs to a range of numbers. It comes when the first of them is used.
type block[T comparable] struct {
	cells []cell[T]
	texts []byte   // of each key the lengths of its two strings, or elsewhere, and the strings
	slots []uint32 // only for the writer
}

const (
	groupSize = 8
	near      = 8 // groups, whose tags are together in one line of the cache
	fewest    = groupSize * near
	blockSize = 256

	narrowest = 32 // bytes of text, with the lengths
	widest    = 64
	elsewhere = 255 // instead of the lengths of what is longer: it is compared with the key of the object
)

// newLatest returns a table that is half full with so many objects.
func newLatest[K, T comparable](keyOf func(T) K, objects, width int) *latest[K, T] {
	places := max(fewest, (2*objects+fewest-1)/fewest*fewest)
	return &latest[K, T]{
		keyOf:       keyOf,
		arePointers: isPointer[T](),
		tags:        make([]atomic.Uint64, places/groupSize),
		numbers:     make([]uint32, places),
		blocks:      make([]block[T], (places+blockSize-1)/blockSize),
		width:       width,
	}
}

// fits says whether the table has room, is not many times too large and is as wide as it should be. Of four fifths of the
// places one key in a thousand finds none.
func (l *latest[K, T]) fits(objects, width int) bool {
	places := len(l.numbers)
	return 5*l.used <= 4*places && places <= max(fewest, 16*objects) && width <= l.width
}

// get returns the cell of a key, or nil. Its object may have gone.
func (l *latest[K, T]) get(k *sought[K]) *cell[T] {
	if number, ok := l.number(k); ok {
		return l.cell(number)
	}
	if before := l.before.Load(); before != nil {
		if number, ok := before.number(k); ok {
			return before.cell(number)
		}
	}
	return nil
}

func (l *latest[K, T]) cell(number uint32) *cell[T] {
	return &l.blocks[number/blockSize].cells[number%blockSize]
}

func (l *latest[K, T]) slot(number uint32) *uint32 {
	return &l.blocks[number/blockSize].slots[number%blockSize]
}

func (l *latest[K, T]) number(k *sought[K]) (number uint32, ok bool) {
	home := l.home(k.hash)
	for i := range near {
		tags := l.tags[home^i].Load()
		for found := equal(tags, k.tag()); found != 0; found &= found - 1 {
			number := l.numbers[(home^i)*groupSize+bits.TrailingZeros64(found)/8]
			if l.is(number, k) {
				return number, true
			}
		}
		if tags>>56 == 0 { // there was room for the key: it is not further away
			break
		}
	}
	return 0, false
}

// home returns the group in which a key is looked for first.
func (l *latest[K, T]) home(hash uint32) int {
	return int(uint64(hash) * uint64(len(l.tags)) >> 32)
}

// is says whether the number is that of the key.
func (l *latest[K, T]) is(number uint32, k *sought[K]) bool {
	text := l.text(number)
	if text[0] == elsewhere {
		obj, there := l.cell(number).get(l.arePointers)
		return there && l.keyOf(obj) == k.key
	}
	space, name := len(k.space), len(k.name)
	return int(text[0]) == space && int(text[1]) == name &&
		string(text[2:2+space]) == k.space && string(text[2+space:2+space+name]) == k.name
}

func (l *latest[K, T]) text(number uint32) []byte {
	at := int(number%blockSize) * l.width
	return l.blocks[number/blockSize].texts[at : at+l.width]
}

// insert gives a number to a key that has none, if there is room.
func (l *latest[K, T]) insert(k *sought[K], slot uint32, obj T, since uint64) {
	home := l.home(k.hash)
	for i := range near {
		tags := l.tags[home^i].Load()
		place := (bits.Len64(tags) + 7) / 8
		if place == groupSize {
			continue
		}
		number := uint32(l.used)
		l.used++
		l.occupy(number, k)
		l.cell(number).set(obj, since, l.arePointers)
		*l.slot(number) = slot
		l.numbers[(home^i)*groupSize+place] = number
		l.tags[home^i].Store(tags | k.tag()<<(8*place)) // now readers see it all
		return
	}
}

func (l *latest[K, T]) occupy(number uint32, k *sought[K]) {
	if b := &l.blocks[number/blockSize]; b.cells == nil {
		size := min(blockSize, len(l.numbers))
		*b = block[T]{make([]cell[T], size), make([]byte, size*l.width), make([]uint32, size)}
	}
	text := l.text(number)
	if k.width() > l.width {
		text[0] = elsewhere
		return
	}
	text[0], text[1] = uint8(len(k.space)), uint8(len(k.name))
	copy(text[2+copy(text[2:], k.space):], k.name)
}

// A sought is a key that is looked for.
type sought[K comparable] struct {
	key         K
	space, name string // its text
	hash        uint32
}

// tag returns a byte of the hash, which is never 0.
func (k *sought[K]) tag() uint64 { return uint64(k.hash&0x7f | 0x80) }

// width returns how many bytes the text takes.
func (k *sought[K]) width() int { return 2 + len(k.space) + len(k.name) }

// equal marks the bytes of tags that are the tag, and few others: S. Anderson, "Bit Twiddling Hacks", "Determine if a word
// has a byte equal to n".
func equal(tags, tag uint64) uint64 {
	const ones = 0x0101010101010101
	differences := tags ^ tag*ones
	return (differences - ones) & ^differences & (ones << 7)
}

// textAt returns the strings of a key that has them here. They share the memory, which never changes.
func (l *latest[K, T]) textAt(number uint32) (space, name string) {
	text := l.text(number)
	all := unsafe.String(&text[2], int(text[0])+int(text[1]))
	return all[:text[0]], all[text[0]:]
}
