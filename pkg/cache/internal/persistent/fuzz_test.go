package persistent

import "testing"

func FuzzVector(f *testing.F)  { fuzz(f, func() trial { return &vectorTrial{} }) }
func FuzzBag(f *testing.F)     { fuzz(f, func() trial { return &bagTrial{} }) }
func FuzzTable(f *testing.F)   { fuzz(f, func() trial { return newTableTrial() }) }
func FuzzOrdered(f *testing.F) { fuzz(f, func() trial { return newOrderedTrial() }) }

// fuzz runs programs of at most a few hundred bytes: longer ones are slow and reach nothing else.
func fuzz(f *testing.F, create func() trial) {
	f.Helper()
	f.Add([]byte{})
	for seed := range uint64(4) {
		f.Add(randomBytes(seed, 100))
	}
	f.Fuzz(func(t *testing.T, program []byte) { run(t, create(), program[:min(len(program), 300)]) })
}
