package bench

import (
	"strconv"
	"testing"
)

const pipelineSize = 10_000

// BenchmarkPipelineEvents has five events of each pod under way, which an informer may merge: see calls/event.
func BenchmarkPipelineEvents(b *testing.B) {
	eachHandlers(b, 5*pipelineSize)
}

// BenchmarkPipelineDistinct has one event of each pod under way: all have to call the handlers as often.
func BenchmarkPipelineDistinct(b *testing.B) {
	eachHandlers(b, pipelineSize)
}

func eachHandlers(b *testing.B, lap int) {
	for _, handlers := range []int{1, 8} {
		variant := "handlers=" + strconv.Itoa(handlers)
		pipelineContest{variant: variant, handlers: handlers, size: pipelineSize, lap: lap}.run(b)
	}
}

// BenchmarkPipelineGrowth has as many distinct events under way whatever the number of objects.
func BenchmarkPipelineGrowth(b *testing.B) {
	for _, size := range sizes() {
		variant := "objects=" + strconv.Itoa(size)
		pipelineContest{variant: variant, handlers: 1, size: size, lap: pipelineSize}.run(b)
	}
}
