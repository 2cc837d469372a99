package store

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// latest finds the objects of the latest snapshot by their keys: a table that is changed in place, beside the persistent
// one, since that is a long way for the most frequent read.
//
// A get should wait for memory as seldom as possible: once for the place, where the hash of the key leads, and once for the
// text of the key and the cell with the object, which have the number that is in the place. Numbers are given in order, so
// neighbours share what is fetched. Neither the object nor its strings are looked at, unless the key is a long one.
//
//	key ──hash──▶ place: number ──▶ text, to compare
//	                            ╰─▶ cell ──▶ object
//
// A key has one of the places near the one where its hash sends it, the first that was free. Where too many keys come
// together one has none, and is found the long way. Place and number are of one key until the table is replaced, as one is
// that has become too full, too empty or too narrow; the keys come into the next one a few at a time. So all but the cells
// stays as it is from before the place is written, and may be read while other places are.
//
// There is one writer at a time, which changes the table before it publishes the snapshot: to a reader of the one before,
// the cell says that it is too new.
type latest[T comparable] struct {
	textOf      func(T) text
	arePointers bool // the objects

	places []atomic.Uint32 // some bits of the hash, and the number plus one; 0 is free
	bits   int             // of the number
	blocks []block[T]      // by number
	width  int             // bytes of text

	// Until every key is here, the table before has those that are not.
	before atomic.Pointer[latest[T]]

	// Only the writer uses what follows.
	used  int // numbers, also those of keys whose objects have gone
	moved int // numbers of the table before that are here
}

// A block has what belongs to blockSize numbers, or to all if these are fewer. It comes when the first of them is used.
type block[T comparable] struct {
	cells []cell[T]
	texts []byte // of each key the lengths of its two strings, or elsewhere, and the strings
	notes []note // only for the writer
}

// A note is what the writer wants to know of an object without a look at it.
type note struct {
	stamp Stamp
	slot  uint32
}

const (
	fewest    = near
	near      = 64 // places; sixteen of them share a line of the processor's cache
	blockSize = 1024

	narrowest = 32  // bytes of text, with the lengths: for names as people give them
	widest    = 64  // for nearly all names as controllers make them
	elsewhere = 255 // instead of the lengths of what is longer: it is compared with the key of the object
)

// newLatest returns a table that is half full with so many objects.
func newLatest[T comparable](textOf func(T) text, objects, width int) *latest[T] {
	places := max(fewest, (2*objects+near-1)/near*near)
	return &latest[T]{
		textOf:      textOf,
		arePointers: isPointer[T](),
		places:      make([]atomic.Uint32, places),
		bits:        bits.Len(uint(places)),
		blocks:      make([]block[T], (places+blockSize-1)/blockSize),
		width:       width,
	}
}

// fits says whether the table has room, is not many times too large and is as wide as it should be. Of three quarters of the
// places about one key in a thousand finds none.
func (l *latest[T]) fits(objects, width int) bool {
	places := len(l.places)
	return 4*l.used <= 3*places && places <= max(fewest, 16*objects) && width <= l.width
}

// A text is what a key consists of. Together with a hash it is passed in the processor's registers, which counts in a get.
type text struct{ space, name string }

// width returns how many bytes the text takes.
func (k text) width() int { return 2 + len(k.space) + len(k.name) }

// number returns the number of a key, if it has one.
func (l *latest[T]) number(hash uint32, k text) (number uint32, ok bool) {
	home, tag := l.home(hash), hash<<l.bits
	for i := range near {
		place := l.places[home^i].Load()
		if place == 0 { // it was free for the key: that is not further away
			break
		}
		if number := place ^ tag; number>>l.bits == 0 && l.is(number-1, k) {
			return number - 1, true
		}
	}
	return 0, false
}

// home returns the place where a key is looked for first.
func (l *latest[T]) home(hash uint32) int {
	return int(uint64(hash) * uint64(len(l.places)) >> 32)
}

// is says whether the number is that of the key.
func (l *latest[T]) is(number uint32, k text) bool {
	t := l.text(number)
	space, name := len(k.space), len(k.name)
	if int(t[0]) != space || int(t[1]) != name || space == elsewhere {
		return t[0] == elsewhere && l.isElsewhere(number, k)
	}
	both := t[2 : 2+space+name]
	return string(both[space:]) == k.name && string(both[:space]) == k.space
}

func (l *latest[T]) isElsewhere(number uint32, k text) bool {
	obj, there := l.cell(number).get(l.arePointers)
	return there && l.textOf(obj) == k
}

func (l *latest[T]) text(number uint32) []byte {
	return l.blocks[number/blockSize].texts[int(number%blockSize)*l.width:]
}

func (l *latest[T]) cell(number uint32) *cell[T] {
	return &l.blocks[number/blockSize].cells[number%blockSize]
}

func (l *latest[T]) note(number uint32) *note {
	return &l.blocks[number/blockSize].notes[number%blockSize]
}

// insert gives a place and a number to a key that has none, if there is room.
func (l *latest[T]) insert(hash uint32, k text, obj T, since uint64, n note) {
	home := l.home(hash)
	for i := range near {
		place := &l.places[home^i]
		if place.Load() == 0 {
			number := uint32(l.used)
			l.used++
			l.occupy(number, k)
			*l.note(number) = n
			l.cell(number).set(obj, since, l.arePointers)
			place.Store(hash<<l.bits | (number + 1)) // now readers see it all
			return
		}
	}
}

func (l *latest[T]) occupy(number uint32, k text) {
	if b := &l.blocks[number/blockSize]; b.cells == nil {
		size := min(blockSize, len(l.places))
		*b = block[T]{make([]cell[T], size), make([]byte, size*l.width), make([]note, size)}
	}
	t := l.text(number)
	if k.width() > l.width {
		t[0] = elsewhere
		return
	}
	t[0], t[1] = uint8(len(k.space)), uint8(len(k.name))
	copy(t[2+copy(t[2:], k.space):], k.name)
}

// textAt returns the text of the key of an object that has the number.
func (l *latest[T]) textAt(number uint32, obj T) text {
	t := l.text(number)
	if t[0] == elsewhere {
		return l.textOf(obj)
	}
	return split(t)
}

// split returns the strings of a text. They share its memory, which never changes again.
func split(t []byte) text {
	both := unsafe.String(&t[2], int(t[0])+int(t[1]))
	return text{both[:t[0]], both[t[0]:]}
}
