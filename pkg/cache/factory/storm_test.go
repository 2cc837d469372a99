package factory_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/sluice-k8s/sluice/pkg/cache/factory"
)

// Many come and go at the same time, while others look, rescope, and take a cluster out.
func TestStorm(t *testing.T) {
	f, s, scope := factory.New(patient()), newServer(), newScope(t, "s", "x")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	var storm sync.WaitGroup
	for worker := range 8 {
		storm.Go(func() {
			for range 100 {
				comeAndGo(t, f, s, scope, worker)
			}
		})
	}
	storm.Wait()
	if got := identities(f); len(got) != 0 || s.watching() != 0 {
		t.Errorf("after the storm there are %q and %d watches", got, s.watching())
	}
	cancel()
	wantNone(t, <-done)
}

func comeAndGo(t *testing.T, f *factory.Factory, s *server, scope *factory.Scope, worker int) {
	t.Helper()
	options := []factory.Options{{}, {Scope: scope}, {LabelSelector: "app=web"}}[rand.N(3)]
	cluster := f.Cluster([]string{"east", "west"}[rand.N(2)])
	lease, err := factory.Acquire(cluster, s.open, options)
	if err != nil {
		return // the cluster has just been taken out
	}
	defer lease.Release()
	switch {
	case worker == 0 && rand.N(4) == 0:
		cluster.Stop()
	case worker == 1:
		wantNone(t, scope.SetNamespaces([]string{"x", "y", "z"}[:rand.N(4)]...))
	case worker == 2:
		f.Statuses()
		_ = f.Ready()
	case rand.N(2) == 0:
		lease.Subscribe("s", ignore)
		_ = lease.WaitForSync(t.Context())
	}
}
