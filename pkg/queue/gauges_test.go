package queue_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestGaugesWhileTheQueueHoldsAnything(t *testing.T) {
	states := map[string]struct {
		fill, empty func(q *queue.Queue[string])
		want        queue.State
	}{
		"ready":   {func(q *queue.Queue[string]) { q.Add("a") }, func(q *queue.Queue[string]) { q.Get(); q.Done("a") }, queue.Ready},
		"delayed": {func(q *queue.Queue[string]) { q.AddAfter("a", time.Hour) }, func(q *queue.Queue[string]) { q.Cancel("a") }, queue.Delayed},
		"running": {func(q *queue.Queue[string]) { q.Add("a"); q.Get() }, func(q *queue.Queue[string]) { q.Done("a") }, queue.Running},
		"parked": {func(q *queue.Queue[string]) {
			q.Add("a")
			item, _ := q.Take(context.Background())
			q.Finish(item, queue.Park(nil))
		}, func(q *queue.Queue[string]) { q.DropAll() }, queue.Parked},
	}
	for name, state := range states {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				metrics := &recorder{}
				q := queue.New(queue.Config[string]{Metrics: metrics})
				defer q.ShutDown()
				time.Sleep(time.Hour)
				if shown := metrics.shown(); len(shown) != 0 {
					t.Fatalf("%d gauges of an empty queue", len(shown))
				}

				state.fill(q)
				time.Sleep(3*queue.GaugeInterval + queue.GaugeInterval/2)
				shown := metrics.shown()
				if len(shown) != 3 {
					t.Fatalf("%d gauges in %v, want 3", len(shown), 3*queue.GaugeInterval)
				}
				for _, s := range shown {
					counts := map[queue.State]int{
						queue.Ready: s.Ready, queue.Delayed: s.Delayed, queue.Running: s.Running, queue.Parked: s.Parked,
					}
					if counts[state.want] != 1 || s.Ready+s.Delayed+s.Running+s.Parked != 1 {
						t.Errorf("shows %+v, want one key %s", s, state.want)
					}
				}

				state.empty(q)
				time.Sleep(time.Hour)
				shown = metrics.shown()
				if last := shown[len(shown)-1]; len(shown) != 4 || last != q.Status() || last.Running+last.Ready+last.Parked != 0 {
					t.Errorf("%d gauges, the last with %+v; want one more, with nothing", len(shown), last)
				}
			})
		})
	}
}

func TestGaugesWhileAllWorkersAreStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		metrics := &recorder{}
		q := queue.New(queue.Config[string]{Metrics: metrics})
		defer q.ShutDown()
		q.Add("stuck")
		q.Get()
		q.Add("waits")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		shown := metrics.shown()
		last := shown[len(shown)-1]
		if last.LongestRunning != 2*time.Second || last.OldestReady != 2*time.Second {
			t.Errorf("running for %v, ready for %v; want 2s", last.LongestRunning, last.OldestReady)
		}
	})
}

func TestGaugesAreAtLeastAnIntervalApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		metrics := &recorder{}
		q := queue.New(queue.Config[string]{Metrics: metrics})
		for range 100 {
			q.Add("a")
			time.Sleep(70 * time.Millisecond)
			key, _ := q.Get()
			time.Sleep(30 * time.Millisecond)
			q.Done(key)
			time.Sleep(10 * time.Millisecond)
		}
		q.ShutDown()
		times := metrics.times()
		times = times[:len(times)-1] // the last is that of ShutDown
		if len(times) < 10 {
			t.Errorf("%d gauges in 11s", len(times))
		}
		for i := range times[1:] {
			if gap := times[i+1].Sub(times[i]); gap < queue.GaugeInterval {
				t.Errorf("two gauges %v apart, want %v at least", gap, queue.GaugeInterval)
			}
		}
	})
}

func TestLastGaugesAfterShutDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		metrics := &recorder{}
		q := queue.New(queue.Config[string]{Metrics: metrics})
		q.Add("running")
		q.Get()
		q.Add("ready")
		q.ShutDown()
		q.Done("running")
		time.Sleep(time.Hour)
		if shown := metrics.shown(); len(shown) != 0 {
			t.Errorf("%d gauges while a key is ready after ShutDown", len(shown))
		}
		q.Get()
		q.Done("ready")
		time.Sleep(time.Hour)
		if shown := metrics.shown(); len(shown) != 1 || shown[0].Ready+shown[0].Running != 0 {
			t.Errorf("gauges are %+v, want one with nothing", shown)
		}
	})
}
