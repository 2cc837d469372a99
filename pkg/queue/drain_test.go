package queue_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestShutDown(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.Add("running")
	item := r.take("running")
	r.Add("running") // again
	r.AddAfter("due", time.Second)
	r.AddAfter("not due", time.Hour)
	r.Add("ready")
	r.clock.Step(time.Second)

	r.ShutDown()
	r.ShutDown() // does nothing

	wantKeys(t, take(t, r.Queue), "ready", "due")
	r.Finish(item, queue.Retry(nil))
	wantKeys(t, take(t, r.Queue), "running") // added before
	r.clock.Step(2 * time.Hour)
	if _, err := r.Take(t.Context()); !errors.Is(err, queue.ErrShutDown) {
		t.Errorf("Take returned %v, want ErrShutDown", err)
	}
	if key, shutdown := r.Get(); key != "" || !shutdown {
		t.Errorf("Get returned %q, %v; want nothing, as the queue is shut down", key, shutdown)
	}
}

func TestAddsAfterShutDownDoNothing(t *testing.T) {
	adds := map[string]func(r rig, item queue.Item[string]){
		"Add":            func(r rig, _ queue.Item[string]) { r.Add("a") },
		"AddAfter":       func(r rig, _ queue.Item[string]) { r.AddAfter("a", time.Second) },
		"AddRateLimited": func(r rig, _ queue.Item[string]) { r.AddRateLimited("a") },
		"AddWith":        func(r rig, _ queue.Item[string]) { r.AddWith("a", queue.AddOptions{Now: true}) },
		"Retry":          func(r rig, item queue.Item[string]) { r.Finish(item, queue.Retry(nil)) },
		"RetryAfter":     func(r rig, item queue.Item[string]) { r.Finish(item, queue.RetryAfter(time.Second, nil)) },
		"RequeueAfter":   func(r rig, item queue.Item[string]) { r.Finish(item, queue.RequeueAfter(time.Second)) },
	}
	for name, add := range adds {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{})
			r.Add("a")
			item := r.take("a")
			r.ShutDown()
			add(r, item)
			r.Finish(item, queue.Success())
			r.clock.Step(time.Hour)
			r.wantIdle()
			if failures := r.NumRequeues("a"); failures != 0 {
				t.Errorf("%d failures, want none", failures)
			}
		})
	}
}

func TestShuttingDown(t *testing.T) {
	ends := map[string]func(q *queue.Queue[string]){
		"ShutDown":          (*queue.Queue[string]).ShutDown,
		"ShutDownWithDrain": (*queue.Queue[string]).ShutDownWithDrain,
		"Drain":             func(q *queue.Queue[string]) { _ = q.Drain(context.Background()) },
	}
	for name, end := range ends {
		q := queue.New(queue.Config[string]{})
		if q.ShuttingDown() || q.Inspect(0).ShutDown {
			t.Errorf("%s: is shutting down before", name)
		}
		end(q)
		if !q.ShuttingDown() || !q.Inspect(0).ShutDown {
			t.Errorf("%s: is not shutting down after", name)
		}
	}
}

// drain calls Drain and returns the channel on which its error comes.
func drain(ctx context.Context, q *queue.Queue[string]) <-chan error {
	result := make(chan error, 1)
	go func() { result <- q.Drain(ctx) }()
	synctest.Wait()
	return result
}

func wantWaiting(t *testing.T, result <-chan error) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-result:
		t.Fatalf("Drain has returned %v, want it to wait", err)
	default:
	}
}

func wantDrained(t *testing.T, result <-chan error) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-result:
		if err != nil {
			t.Errorf("Drain returned %v, want nil", err)
		}
	default:
		t.Fatal("Drain still waits")
	}
}

func TestDrainWaitsForWhatIsReadyAndRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, queue.Config[string]{})
		r.Add("running")
		running := r.take("running")
		r.Add("running") // once more
		r.Add("ready")

		result := drain(t.Context(), r.Queue)
		wantWaiting(t, result)
		r.finish("ready", queue.Success())
		wantWaiting(t, result)
		r.Finish(running, queue.Success())
		wantWaiting(t, result)
		again := r.take("running")
		wantWaiting(t, result)
		r.Finish(again, queue.Success())
		wantDrained(t, result)
	})
}

func TestDrainWithWorkersAndSeveralCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const keys, callers = 100, 3
		q := queue.New(queue.Config[int]{})
		for key := range keys {
			q.Add(key)
		}
		var processed atomic.Int32
		for range 4 {
			go func() {
				for {
					item, err := q.Take(context.Background())
					if err != nil {
						return
					}
					time.Sleep(time.Second)
					processed.Add(1)
					q.Finish(item, queue.Success())
				}
			}()
		}
		errs := make(chan error)
		for range callers {
			go func() { errs <- q.Drain(context.Background()) }()
		}
		for range callers {
			if err := <-errs; err != nil || processed.Load() != keys {
				t.Errorf("Drain returned %v after %d keys, want nil after %d", err, processed.Load(), keys)
			}
		}
	})
}

func TestWhatDrainDrops(t *testing.T) {
	tests := map[string]func(r rig){
		"nothing":  func(rig) {},
		"delayed":  func(r rig) { r.AddAfter("a", time.Hour) },
		"back-off": func(r rig) { r.Add("a"); r.finish("a", queue.Retry(nil)) },
		"parked":   func(r rig) { r.park("a") },
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, queue.Config[string]{})
				prepare(r)
				wantDrained(t, drain(t.Context(), r.Queue))
				r.clock.Step(2 * time.Hour)
				r.wantIdle()
				if info, found := r.Find("a"); found {
					t.Errorf("a is %s", info.Why())
				}
			})
		})
	}
}

func TestARetryDuringDrainIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, queue.Config[string]{})
		r.Add("a")
		item := r.take("a")
		result := drain(t.Context(), r.Queue)
		r.Finish(item, queue.Retry(errBroken))
		wantDrained(t, result)
	})
}

func TestDrainSaysWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, queue.Config[string]{})
		for _, key := range []string{"a", "b", "c"} {
			r.Add(key)
		}
		item := r.take("a")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()

		err := r.Drain(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "2 keys ready, 1 running") {
			t.Errorf("Drain returned %v, want DeadlineExceeded with 2 ready, 1 running", err)
		}
		if !r.ShuttingDown() {
			t.Error("the queue is open again")
		}

		result := drain(t.Context(), r.Queue) // another attempt
		wantWaiting(t, result)
		r.Finish(item, queue.Success())
		r.finish("b", queue.Success())
		r.finish("c", queue.Success())
		wantDrained(t, result)
	})
}

func TestDrainOfACancelledContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := newRig(t, queue.Config[string]{})
	r.Add("a")
	if err := r.Drain(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Drain returned %v, want Canceled", err)
	}
	r.finish("a", queue.Success())
	if err := r.Drain(ctx); err != nil {
		t.Errorf("Drain of an empty queue returned %v, want nil", err)
	}
}

func TestShutDownReleasesDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, queue.Config[string]{})
		r.Add("stuck")
		item := r.take("stuck")
		first, second := drain(t.Context(), r.Queue), drain(t.Context(), r.Queue)
		go r.ShutDownWithDrain()
		wantWaiting(t, first)

		r.ShutDown()
		for _, result := range []<-chan error{first, second} {
			if err := <-result; !errors.Is(err, queue.ErrShutDown) || !strings.Contains(err.Error(), "0 keys ready, 1 running") {
				t.Errorf("Drain returned %v, want ErrShutDown with 1 running", err)
			}
		}
		result := drain(t.Context(), r.Queue) // ShutDown came before: this one waits
		wantWaiting(t, result)
		r.Finish(item, queue.Success())
		wantDrained(t, result)
	})
}
