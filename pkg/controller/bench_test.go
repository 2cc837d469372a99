package controller_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/controller"
)

// BenchmarkReconcile adds all of 20 000 keys again when all have been reconciled.
func BenchmarkReconcile(b *testing.B) {
	for _, workers := range []int{1, 8} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			b.ReportAllocs()
			keys := make([]types.NamespacedName, 20_000)
			for n := range keys {
				keys[n] = types.NamespacedName{Namespace: "default", Name: fmt.Sprintf("object-%d", n)}
			}
			var left atomic.Int64
			all := make(chan struct{})
			c, err := controller.New(controller.Config[types.NamespacedName]{
				Name:    "bench",
				Workers: workers,
				Reconcile: func(context.Context, types.NamespacedName) controller.Result {
					if left.Add(-1) == 0 {
						all <- struct{}{}
					}
					return controller.Done()
				},
			})
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan error, 1)
			go func() { done <- c.Run(ctx) }()
			b.ResetTimer()
			for n := 0; n < b.N; n += len(keys) {
				batch := min(len(keys), b.N-n)
				left.Store(int64(batch))
				for _, key := range keys[:batch] {
					c.Enqueue(key)
				}
				<-all
			}
			b.StopTimer()
			cancel()
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		})
	}
}
