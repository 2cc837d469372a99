package events

import (
	"fmt"
	"testing"
)

// BenchmarkRecord is what a reconcile pays, while the server is away.
func BenchmarkRecord(b *testing.B) {
	recorder := func(b *testing.B) *Recorder {
		b.Helper()
		r, err := New(Config{Client: newServer(), Controller: "c"})
		if err != nil {
			b.Fatal(err)
		}
		return r
	}
	object := pod("web")
	b.Run("equal", func(b *testing.B) {
		r := recorder(b)
		b.ReportAllocs()
		for b.Loop() {
			r.Normal(object, "Restarted", "Restart", "the configuration has changed")
		}
	})
	b.Run("different", func(b *testing.B) {
		r, notes := recorder(b), make([]string, 1000)
		for n := range notes {
			notes[n] = fmt.Sprint(n)
		}
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			r.Normal(object, "Restarted", "Restart", notes[n%len(notes)])
		}
	})
}
