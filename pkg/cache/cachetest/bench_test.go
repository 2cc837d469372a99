package cachetest_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/sluice-k8s/sluice/pkg/cache/cachetest"
)

// BenchmarkTransform is what each look at a small pod costs.
func BenchmarkTransform(b *testing.B) {
	f := cachetest.NewMutationDetector[*corev1.Pod]().Transform()
	b.ReportAllocs()
	for b.Loop() {
		_, _ = f(newPod("web"))
	}
}
