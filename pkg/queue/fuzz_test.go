package queue_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// A byteChooser takes each choice from a byte, and always the first possibility when there are none left.
type byteChooser struct{ left []byte }

func (c *byteChooser) choose(_ string, n int) int {
	if len(c.left) == 0 {
		return 0
	}
	first := c.left[0]
	c.left = c.left[1:]
	return int(first) % n
}

// FuzzOperations reads a config and operations from bytes and does them with a queue and its model.
func FuzzOperations(f *testing.F) {
	f.Add([]byte{})
	for seed := range uint64(10) {
		f.Add(randomBytes(seed, 200))
	}
	f.Fuzz(func(t *testing.T, data []byte) { runTrial(t, data) })
}

// A long run reaches states that shorter ones do not.
func TestManyOperationsInARow(t *testing.T) {
	for seed := range uint64(40) {
		runTrial(t, randomBytes(seed, 3000))
	}
}

func runTrial(t *testing.T, data []byte) {
	t.Helper()
	all := operations()
	names := slices.Sorted(maps.Keys(all))
	choices := &byteChooser{data}
	trial := newTrial(t, choices)
	for len(choices.left) > 0 {
		all[oneOf(choices, "operation", names...)](trial)
		trial.perhapsLook()
	}
	trial.look()
}

func randomBytes(seed uint64, n int) []byte {
	random := rand.New(rand.NewPCG(seed, 0))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(random.UintN(256))
	}
	return data
}
