package queue_test

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

type delay struct {
	at    time.Time
	order int
}

// A model is the naive queue: lists and maps, searched from end to end.
type model struct {
	now     time.Time
	ready   []string         // in the order of becoming ready
	due     map[string]delay // delayed keys
	delays  int
	running map[string]bool
	again   map[string]bool // added while running
	closed  bool
}

func (m *model) add(key string) {
	if m.closed {
		return
	}
	delete(m.due, key)
	m.makeReady(key)
}

func (m *model) makeReady(key string) {
	switch {
	case m.running[key]:
		m.again[key] = true
	case !slices.Contains(m.ready, key):
		m.ready = append(m.ready, key)
	}
}

func (m *model) addAfter(key string, wait time.Duration) {
	due, isDelayed := m.due[key]
	switch at := m.now.Add(wait); {
	case wait <= 0:
		m.add(key)
	case m.closed || slices.Contains(m.ready, key) || m.again[key]:
	case isDelayed && !at.Before(due.at):
	default:
		m.delays++
		m.due[key] = delay{at, m.delays}
	}
}

func (m *model) take() (string, bool) {
	if len(m.ready) == 0 {
		return "", false
	}
	key := m.ready[0]
	m.ready = m.ready[1:]
	m.running[key] = true
	return key, true
}

func (m *model) done(key string) {
	if !m.running[key] {
		return
	}
	delete(m.running, key)
	if m.again[key] {
		delete(m.again, key)
		m.ready = append(m.ready, key)
	}
}

// step moves the time on.
func (m *model) step(d time.Duration) {
	m.now = m.now.Add(d)
	var due []string
	for key, delay := range m.due {
		if !delay.at.After(m.now) {
			due = append(due, key)
		}
	}
	slices.SortFunc(due, func(a, b string) int {
		return cmp.Or(m.due[a].at.Compare(m.due[b].at), cmp.Compare(m.due[a].order, m.due[b].order))
	})
	for _, key := range due {
		delete(m.due, key)
		m.makeReady(key)
	}
}

func (m *model) shutDown() {
	m.closed = true
	clear(m.due)
}

func TestQueueAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Unix(0, 0)
		clock := clocktesting.NewFakeClock(start)
		q := queue.New(queue.Config[string]{Clock: clock})
		m := &model{now: start, due: map[string]delay{}, running: map[string]bool{}, again: map[string]bool{}}
		key := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		cancelled, cancel := context.WithCancel(context.Background())
		cancel()

		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				k := key.Draw(t, "key")
				q.Add(k)
				m.add(k)
			},
			"addAfter": func(t *rapid.T) {
				k, wait := key.Draw(t, "key"), time.Duration(rapid.IntRange(-1, 5).Draw(t, "seconds"))*time.Second
				q.AddAfter(k, wait)
				m.addAfter(k, wait)
			},
			"take": func(t *rapid.T) {
				item, err := q.Take(cancelled)
				want, ok := m.take()
				if (err == nil) != ok || item.Key != want {
					t.Fatalf("took %q, %v; the model %q, %v", item.Key, err, want, ok)
				}
			},
			"done": func(t *rapid.T) {
				k := key.Draw(t, "key")
				q.Done(k)
				m.done(k)
			},
			"step": func(t *rapid.T) {
				d := time.Duration(rapid.IntRange(1, 6).Draw(t, "half seconds")) * time.Second / 2
				clock.Step(d)
				m.step(d)
			},
			"shutDown": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
					q.ShutDown()
					m.shutDown()
				}
			},
			"len": func(t *rapid.T) {
				if q.Len() != len(m.ready) {
					t.Fatalf("%d keys ready, the model has %d", q.Len(), len(m.ready))
				}
			},
		})
	})
}
