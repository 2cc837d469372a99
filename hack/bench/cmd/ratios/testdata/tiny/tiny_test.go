// Package tiny has benchmarks that the tests of ratios can run in no time.
package tiny

import "testing"

func BenchmarkQueueTiny(b *testing.B) {
	for _, name := range []string{"sluice", "client-go"} {
		b.Run("impl="+name, func(b *testing.B) {
			for b.Loop() {
			}
		})
	}
}

func BenchmarkBroken(b *testing.B) {
	b.Error("as it should")
}
