package controller_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-k8s/sluice/pkg/controller"
)

// A part is a Runner that writes down when it stops.
type part struct {
	name    string
	fail    error
	takes   time.Duration // to stop
	mu      *sync.Mutex
	stopped *[]string
}

func (p part) Run(ctx context.Context) error {
	if p.fail != nil {
		return p.fail
	}
	<-ctx.Done()
	time.Sleep(p.takes)
	p.mu.Lock()
	defer p.mu.Unlock()
	*p.stopped = append(*p.stopped, p.name)
	return nil
}

func TestRunStopsTheLastFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var stopped []string
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- controller.Run(ctx, part{"informer", nil, 0, &mu, &stopped}, part{"controller", nil, time.Minute, &mu, &stopped})
		}()
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
		if want := []string{"controller", "informer"}; !slices.Equal(stopped, want) {
			t.Errorf("stopped in the order %q, want %q", stopped, want)
		}
	})
}

// Controllers stop at the same time: their grace periods do not add up, and caches outlive all of them.
func TestRunStopsControllersTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var stopped []string
		runners := []controller.Runner{part{"informer", nil, 0, &mu, &stopped}}
		for range 3 {
			c, err := controller.New(controller.Config[string]{
				Name:        "slow",
				GracePeriod: 20 * time.Second,
				Reconcile: func(ctx context.Context, _ string) controller.Result {
					<-ctx.Done()
					mu.Lock()
					defer mu.Unlock()
					stopped = append(stopped, "controller")
					return controller.Done()
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			c.Enqueue("a")
			runners = append(runners, c)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- controller.Run(ctx, runners...) }()
		synctest.Wait()
		begin := time.Now()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took != 20*time.Second {
			t.Errorf("stopping took %v, want one grace period", took)
		}
		if want := []string{"controller", "controller", "controller", "informer"}; !slices.Equal(stopped, want) {
			t.Errorf("stopped in the order %q", stopped)
		}
	})
}

func TestRunEndsWhenOneFails(t *testing.T) {
	var mu sync.Mutex
	var stopped []string
	failure := errors.New("no such resource")
	err := controller.Run(t.Context(), part{"informer", nil, 0, &mu, &stopped}, part{"broken", failure, 0, &mu, &stopped})
	if !errors.Is(err, failure) {
		t.Errorf("Run returned %v, want the failure", err)
	}
	if want := []string{"informer"}; !slices.Equal(stopped, want) {
		t.Errorf("stopped %q, want %q", stopped, want)
	}
}
