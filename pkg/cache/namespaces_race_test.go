package cache

import (
	"context"
	"testing"
	"testing/synctest"
)

// Namespaces may change while the informer starts: a namespace that has gone is not read.
func TestNamespacesChangeDuringTheStart(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			open := func(string) ListerWatcher[cm] { return newLiveServer() }
			i, err := NewNamespacedInformer(open, []string{"a", "b"}, Config{Silence: longest})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- i.Run(ctx) }()
			if err := i.SetNamespaces("b"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := i.Status().Watches; got != 1 {
				t.Errorf("%d watches were opened, want one", got)
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}
