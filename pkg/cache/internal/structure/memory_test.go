package structure

import (
	"math/rand/v2"
	"testing"
	"weak"

	"pgregory.net/rapid"
)

// A memory beside a plain map: it returns what the map has or nothing, never more than its limit, and always what was put
// just before.
func TestMemoryAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, model := newMemory[int](512), map[uint64]int{}
		for i, key := range rapid.SliceOfN(rapid.Uint64Range(1, 3000), 1, 6000).Draw(t, "keys") {
			hash := key * 0x9e3779b97f4a7c15
			got, ok := m.get(hash)
			if want, known := model[hash]; ok && (!known || *got != want) {
				t.Fatalf("got %d, want %d, %v", *got, want, known)
			}
			m.put(hash, i)
			model[hash] = i
			if got, ok := m.get(hash); !ok || *got != i {
				t.Fatalf("what was put is not there")
			}
			checkMemory(t, &m)
		}
	})
}

func checkMemory(t *rapid.T, m *memory[int]) {
	filled := 0
	for i, hash := range m.hashes {
		if hash != 0 {
			filled++
		} else if m.values[i] != 0 {
			t.Fatal("a value is left in an empty slot")
		}
	}
	if filled != m.filled || len(m.hashes) > m.limit {
		t.Fatalf("%d of %d filled, %d counted", filled, len(m.hashes), m.filled)
	}
}

// While there is room to grow, everything is there.
func TestMemoryKeepsWhatFits(t *testing.T) {
	m, random := newMemory[int](16384), rand.New(rand.NewPCG(1, 2))
	hashes := make([]uint64, 3000)
	for i := range hashes {
		hashes[i] = random.Uint64()
		m.put(hashes[i], i)
	}
	for i, hash := range hashes {
		if got, ok := m.get(hash); !ok || *got != i {
			t.Fatalf("%d is gone", i)
		}
	}
}

// What nobody asks for is forgotten, whether others come or only objects are served.
func TestMemoryForgets(t *testing.T) {
	for name, pass := range map[string]func(m *memory[int], i uint64){
		"others come":        func(m *memory[int], i uint64) { m.put((i+10)*0x9e3779b97f4a7c15, 1) },
		"objects are served": func(m *memory[int], _ uint64) { m.advance() },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory[int](256)
			m.put(1, 1)
			m.put(2<<40, 2)
			for i := range uint64(2 * 256 * lifetime) {
				pass(&m, i)
				if got, ok := m.get(2 << 40); !ok || *got != 2 {
					t.Fatal("what is asked for is forgotten")
				}
			}
			if _, ok := m.get(1); ok {
				t.Error("what nobody asked for is still there")
			}
		})
	}
}

// BenchmarkWeak is what a weak pointer to a new part would cost, beside what a slot of the memory costs.
func BenchmarkWeak(b *testing.B) {
	b.Run("weak", func(b *testing.B) {
		b.ReportAllocs()
		known := make(map[uint64]weak.Pointer[[64]byte])
		for i := uint64(0); b.Loop(); i++ {
			known[i%remembered] = weak.Make(new([64]byte))
		}
	})
	b.Run("strong", func(b *testing.B) {
		b.ReportAllocs()
		m := newMemory[*[64]byte](remembered)
		for i := uint64(1); b.Loop(); i++ {
			m.put(i*0x9e3779b97f4a7c15, new([64]byte))
		}
	})
}

const remembered = 16384
