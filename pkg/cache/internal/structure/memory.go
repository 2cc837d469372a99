package structure

// ways is how many slots a hash may be in: as many as there are hashes in a line of a processor's cache.
const ways = 8

// A memory holds values by their hashes, up to a limit; the hash of a value that was looked up lately is there. It is a
// table of sets of slots, as a processor's cache is: a look-up that finds nothing reads one line of memory. While there
// is room to grow, a new value displaces none that was looked up lately; then it takes the place of the one in its set
// that was not looked up for the longest time.
//
// Time is counted in periods. What was not looked up for two of them is forgotten, so that it does not live on here; a
// period ends when as many values were added as there is room for, or after lifetime objects for each of them.
type memory[V any] struct {
	limit  int // slots, a power of two
	hashes []uint64
	used   []uint32 // the period of the last look-up
	values []V

	period uint32
	added  int // in this period
	served int // objects, in this period
	filled int // slots that are not empty
}

// The first size of a memory, and the most objects that it serves in a period, for each slot.
const (
	smallest = 256
	lifetime = 16
)

func newMemory[V any](limit int) memory[V] {
	return memory[V]{limit: limit}
}

// get returns the value with that hash, which is not 0.
func (m *memory[V]) get(hash uint64) (value *V, ok bool) {
	if m.hashes == nil {
		return nil, false
	}
	set := m.set(hash)
	for i, h := range m.hashes[set : set+ways : set+ways] {
		if h == hash {
			m.used[set+i] = m.period
			return &m.values[set+i], true
		}
	}
	return nil, false
}

// set returns the first slot for a hash.
func (m *memory[V]) set(hash uint64) int {
	return int(hash>>32) * ways & (len(m.hashes) - 1)
}

// put adds a value, or replaces the one with its hash.
func (m *memory[V]) put(hash uint64, value V) {
	slot := m.slot(hash)
	for len(m.hashes) < m.limit && (2*m.filled >= len(m.hashes) || m.displaces(slot, hash)) {
		m.grow()
		slot = m.slot(hash)
	}
	m.place(slot, hash, value, m.period)
	m.added++
	if m.added >= len(m.hashes) && len(m.hashes) >= m.limit {
		m.nextPeriod()
	}
}

// slot returns where a hash is or is to go: the slot that has it, an empty one, or that of the least use.
func (m *memory[V]) slot(hash uint64) int {
	if m.hashes == nil {
		return 0
	}
	set := m.set(hash)
	least := set
	for i := set; i < set+ways; i++ {
		if m.hashes[i] == hash || m.hashes[i] == 0 {
			return i
		}
		if m.used[i] < m.used[least] {
			least = i
		}
	}
	return least
}

// displaces says whether a hash would take the slot of another that was looked up in this period.
func (m *memory[V]) displaces(slot int, hash uint64) bool {
	return m.hashes[slot] != 0 && m.hashes[slot] != hash && m.used[slot] == m.period
}

func (m *memory[V]) place(slot int, hash uint64, value V, used uint32) {
	if m.hashes[slot] == 0 {
		m.filled++
	}
	m.hashes[slot], m.used[slot], m.values[slot] = hash, used, value
}

// grow doubles the room, or makes the first.
func (m *memory[V]) grow() {
	old := *m
	size := min(max(2*len(old.hashes), smallest), m.limit)
	m.hashes, m.used, m.values = make([]uint64, size), make([]uint32, size), make([]V, size)
	m.filled = 0
	for i, hash := range old.hashes {
		if hash != 0 {
			m.place(m.slot(hash), hash, old.values[i], old.used[i])
		}
	}
}

// advance counts one more object that is served.
func (m *memory[V]) advance() {
	m.served++
	if m.served >= m.limit*lifetime {
		m.nextPeriod()
	}
}

func (m *memory[V]) nextPeriod() {
	m.period++
	m.added, m.served = 0, 0
	for i, hash := range m.hashes {
		if hash != 0 && m.used[i]+2 <= m.period {
			var none V
			m.hashes[i], m.values[i] = 0, none
			m.filled--
		}
	}
}
