package persistent

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

// A trial is a structure beside a naive model of it.
type trial interface {
	// change does to both what the program says next.
	change(p *program, owner Owner)
	// check compares the structure with its model and looks at the invariants of its nodes.
	check() error
	// keep returns a comparison of this version with a copy of the model as it is now. Both belong to nobody else.
	keep() func() error
}

// A program is a string of bytes, each of which decides something. When it has ended, each decision is the first choice.
type program struct{ left []byte }

func (p *program) below(n int) int {
	if len(p.left) == 0 {
		return 0
	}
	first := int(p.left[0])
	p.left = p.left[1:]
	if n > 256 {
		first = first<<8 | p.below(256)
	}
	return first % n
}

func (p *program) oneOf(choices ...int) int { return choices[p.below(len(choices))] }

// run runs a program in transactions of a few changes. At the end each version that was published must be as it was.
func run(t rapid.TB, tr trial, bytes []byte) {
	t.Helper()
	p := &program{bytes}
	kept := []func() error{tr.keep()}
	for owner := Owner(1); len(p.left) > 0; owner++ {
		for range 1 + p.below(4) {
			tr.change(p, owner)
		}
		if err := tr.check(); err != nil {
			t.Fatalf("transaction %d: %v", owner, err)
		}
		kept = append(kept, tr.keep())
	}
	for i, check := range kept {
		if err := check(); err != nil {
			t.Fatalf("version %d of %d has changed: %v", i, len(kept)-1, err)
		}
	}
}

func randomPrograms(t *testing.T, create func() trial) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		run(t, create(), rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "program"))
	})
}

// Rapid's programs are mostly short and of small bytes: these are neither.
func longPrograms(t *testing.T, create func() trial) {
	t.Helper()
	for seed := range uint64(10) {
		run(t, create(), randomBytes(seed, 500))
	}
}

func randomBytes(seed uint64, n int) []byte {
	random := rand.New(rand.NewPCG(seed, 0))
	bytes := make([]byte, n)
	for i := range bytes {
		bytes[i] = byte(random.UintN(256))
	}
	return bytes
}

func trials() map[string]func() trial {
	return map[string]func() trial{
		"Vector":  func() trial { return &vectorTrial{} },
		"Bag":     func() trial { return &bagTrial{} },
		"Table":   func() trial { return newTableTrial() },
		"Ordered": func() trial { return newOrderedTrial() },
	}
}

func TestVersionsAgainstModels(t *testing.T) {
	for name, create := range trials() {
		t.Run(name, func(t *testing.T) { randomPrograms(t, create) })
		t.Run(name+"/long", func(t *testing.T) { longPrograms(t, create) })
	}
}

// For the race detector: readers look at old versions and the latest one while the writer makes the next.
func TestVersionsAreReadWhileTheWriterGoesOn(t *testing.T) {
	for name, create := range trials() {
		t.Run(name, func(t *testing.T) { readWhileWriting(t, create()) })
	}
}

func readWhileWriting(t *testing.T, tr trial) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	versions := &versions{}
	versions.publish(tr.keep())
	var readers sync.WaitGroup
	for seed := range uint64(2) {
		readers.Go(func() {
			random := rand.New(rand.NewPCG(seed, 1))
			for ctx.Err() == nil {
				if err := versions.checkSome(random); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	p := &program{randomBytes(7, 400)}
	for owner := Owner(1); len(p.left) > 0; owner++ {
		tr.change(p, owner)
		versions.publish(tr.keep())
	}
	stop()
	readers.Wait()
	versions.checkAll(t)
}

// versions is a list that grows while it is read.
type versions struct {
	list atomic.Pointer[[]func() error]
}

func (v *versions) publish(check func() error) {
	var list []func() error
	if before := v.list.Load(); before != nil {
		list = *before
	}
	list = append(slices.Clip(list), check)
	v.list.Store(&list)
}

// checkSome checks the latest version and one of the others.
func (v *versions) checkSome(random *rand.Rand) error {
	list := *v.list.Load()
	if err := list[len(list)-1](); err != nil {
		return err
	}
	return list[random.IntN(len(list))]()
}

func (v *versions) checkAll(t *testing.T) {
	t.Helper()
	for _, check := range *v.list.Load() {
		if err := check(); err != nil {
			t.Fatal(err)
		}
	}
}
