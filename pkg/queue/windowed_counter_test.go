package queue_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestWindowedCounter(t *testing.T) {
	const s = time.Second
	a, b := "a", "b"
	tests := map[string]struct {
		config queue.WindowConfig
		keys   []string // one each second
		want   []time.Duration
	}{
		"two in five seconds": {
			queue.WindowConfig{Limit: 2, Period: 5 * s},
			[]string{a, a, b, b, a, a},
			[]time.Duration{0, 0, 3 * s, 3 * s, 6 * s, 6 * s},
		},
		"the window slides": {
			queue.WindowConfig{Limit: 2, Period: 2 * s},
			[]string{a, a, a, a},
			[]time.Duration{0, 0, 0, 0},
		},
		"each key": {
			queue.WindowConfig{Limit: 1, Period: 5 * s, PerKey: true},
			[]string{a, b, a, b, "c"},
			[]time.Duration{0, 0, 3 * s, 3 * s, 0},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limiter := queue.WindowedCounter[string](test.config)
				var got []time.Duration
				for _, key := range test.keys {
					got = append(got, limiter.When(key))
					limiter.Forget(key) // gives no place back
					time.Sleep(s)
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("waits are %v, want %v", got, test.want)
				}
			})
		})
	}
}

func TestWindowedCounterDefaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := waits(queue.WindowedCounter[string](queue.WindowConfig{}), 21)
		if all[9] != 0 || all[10] != time.Second || all[19] != time.Second || all[20] != 2*time.Second {
			t.Errorf("waits are %v, want ten of each second", all)
		}
	})
}

// A fixed window would let ten keys pass around the end of its first period.
func TestWindowedCounterHoldsAcrossTheEndsOfPeriods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := queue.WindowedCounter[string](queue.WindowConfig{Limit: 5, Period: time.Minute})
		time.Sleep(59 * time.Second)
		waits(limiter, 5)
		time.Sleep(time.Second)
		if got, want := limiter.When("a"), 59*time.Second; got != want {
			t.Errorf("a second later a key waits %v, want %v", got, want)
		}
	})
}

func TestWindowsOfKeysAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := queue.WindowedCounter[int](queue.WindowConfig{Limit: 1, PerKey: true, MaxKeys: 10}).(queue.Pacer[int])
		known := 0
		for key := range 1000 {
			limiter.When(key)
		}
		for key := range 1000 {
			if limiter.Wait(key, 1, time.Now()) > 0 {
				known++
			}
		}
		if known < 5 || known > 10 {
			t.Errorf("%d keys have a window, want from 5 to 10", known)
		}
		if limiter.Wait(999, 1, time.Now()) == 0 || limiter.Wait(995, 1, time.Now()) == 0 {
			t.Error("keys that passed last have no window")
		}
	})
}

// Of more keys than it remembers, it remembers those that come again and again.
func TestWindowsOfBusyKeysAreKept(t *testing.T) {
	limiter := queue.WindowedCounter[int](queue.WindowConfig{Limit: 100, Period: time.Hour, PerKey: true, MaxKeys: 10}).(queue.Pacer[int])
	now := time.Unix(0, 0)
	const busy = -1
	for key := range 100 {
		limiter.Spend(key, now)
		limiter.Spend(busy, now)
	}
	if got := limiter.Wait(busy, 1, now); got != time.Hour {
		t.Errorf("after a hundred places in an hour the busy key waits %v, want 1h", got)
	}
}

// A windowModel is the naive counter: all places that ever were taken, searched for each question.
type windowModel struct {
	limit  int
	period time.Duration
	places []time.Time
}

// next tries all times at which a place may become free.
func (m *windowModel) next(now time.Time) time.Time {
	candidates := []time.Time{now}
	for _, place := range m.places {
		if free := place.Add(m.period); free.After(now) {
			candidates = append(candidates, free)
		}
	}
	slices.SortFunc(candidates, time.Time.Compare)
	for _, candidate := range candidates {
		taken := 0
		for _, place := range m.places {
			if place.Add(m.period).After(candidate) {
				taken++
			}
		}
		if taken < m.limit {
			return candidate
		}
	}
	panic("no place is ever free")
}

// broken returns an error if more places than the limit are within a period.
func (m *windowModel) broken() error {
	places := slices.SortedFunc(slices.Values(m.places), time.Time.Compare)
	for i := m.limit; i < len(places); i++ {
		if between := places[i].Sub(places[i-m.limit]); between < m.period {
			return fmt.Errorf("%d places are taken within %v, want within %v or more", m.limit+1, between, m.period)
		}
	}
	return nil
}

// The clock goes on by random steps, and sometimes back; each key has its model, or all share one.
func TestWindowedCounterIsItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config := queue.WindowConfig{
			Limit:  rapid.IntRange(1, 5).Draw(t, "limit"),
			Period: time.Duration(rapid.Int64Range(1, 20).Draw(t, "period")),
			PerKey: rapid.Bool().Draw(t, "per key"),
		}
		limiter := queue.WindowedCounter[string](config).(queue.Pacer[string])
		models := make(map[string]*windowModel)
		now := time.Unix(0, 0)
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(-5, 10).Draw(t, "step")))
			key := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key")
			model := models[key]
			if !config.PerKey {
				model = models[""]
			}
			if model == nil {
				model = &windowModel{limit: config.Limit, period: config.Period}
				models[key] = model
				if !config.PerKey {
					models[""] = model
				}
			}
			place := model.next(now)
			if got, want := limiter.Wait(key, 1, now), place.Sub(now); got != want {
				t.Fatalf("%s waits %v, want %v", key, got, want)
			}
			if rapid.Bool().Draw(t, "spend") {
				limiter.Spend(key, now)
				model.places = append(model.places, place)
			}
			if err := model.broken(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzWindowedCounter(f *testing.F) {
	f.Add(2, int64(10), []byte{0, 0, 0, 130, 5, 255})
	f.Add(1, int64(1), []byte{200, 10, 200, 10})
	f.Add(3, int64(1)<<62, []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13})
	f.Fuzz(func(t *testing.T, limit int, period int64, steps []byte) {
		if limit < 1 || period < 1 || len(steps) > 200 {
			return
		}
		limiter := queue.WindowedCounter[string](queue.WindowConfig{Limit: limit, Period: time.Duration(period)}).(queue.Pacer[string])
		model := windowModel{limit: limit, period: time.Duration(period)}
		now := time.Unix(0, 0)
		for _, step := range steps {
			now = now.Add(time.Duration(int8(step))) // forward or back
			wait := limiter.Wait("a", 1, now)
			limiter.Spend("a", now)
			if wait < 0 {
				t.Fatalf("the wait is %v", wait)
			}
			if next := limiter.Wait("a", 1, now); next < wait {
				t.Fatalf("the next wait is %v, want %v or more", next, wait)
			}
			if wait > 1<<62 {
				return // places so far off are told by no Duration
			}
			model.places = append(model.places, now.Add(wait))
		}
		if err := model.broken(); err != nil {
			t.Error(err)
		}
	})
}
