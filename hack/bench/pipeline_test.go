package bench

import (
	"strconv"
	"testing"
)

const pipelineSize = 10_000

func BenchmarkPipelineEvents(b *testing.B) {
	for _, handlers := range []int{1, 8} {
		pipelineContest{variant: "handlers=" + strconv.Itoa(handlers), handlers: handlers, size: pipelineSize}.run(b)
	}
}

func BenchmarkPipelineGrowth(b *testing.B) {
	for _, size := range sizes() {
		pipelineContest{variant: "objects=" + strconv.Itoa(size), handlers: 1, size: size}.run(b)
	}
}
