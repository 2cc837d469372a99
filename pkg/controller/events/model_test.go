package events

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"pgregory.net/rapid"
)

// A model decides what becomes of events by the rules of Config, written down as plainly as can be: it searches lists.
type model struct {
	config  Config
	all     []*modelSeries // ever begun
	open    []*modelSeries // the least recently used first
	similar []*modelNotes
	budgets []*modelBudget
	status  Status
}

type modelSeries struct {
	topic          topic
	last           time.Time
	count, written int
	coolUntil      time.Time
	busy, open     bool
	lost           bool // not all of it is to be on the server
	twin           *series
}

type modelNotes struct {
	key   similarity
	notes []string
	last  time.Time
}

type modelBudget struct {
	key    identity
	tokens float64
	used   time.Time
}

// use moves what is used to the end.
func use[T comparable](list []T, used T) []T {
	return append(slices.DeleteFunc(list, func(t T) bool { return t == used }), used)
}

func last[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

func find[T any](list []*T, match func(*T) bool) *T {
	if n := slices.IndexFunc(list, match); n >= 0 {
		return list[n]
	}
	return nil
}

func (m *model) ready(now time.Time) (ready []*modelSeries) {
	for _, s := range m.all {
		if s.count > s.written && !s.busy && (!s.open || !now.Before(s.coolUntil)) {
			ready = append(ready, s)
		}
	}
	return ready
}

func (m *model) expire(now time.Time) {
	for _, s := range m.open {
		s.open = now.Sub(s.last) <= m.config.Window
	}
	m.open = slices.DeleteFunc(m.open, func(s *modelSeries) bool { return !s.open })
	m.similar = slices.DeleteFunc(m.similar, func(n *modelNotes) bool { return now.Sub(n.last) > m.config.SimilarWindow })
}

// observe returns what the event is expected to become: a series, or a cause to drop it.
func (m *model) observe(now time.Time, t topic) (*modelSeries, Cause) {
	m.status.Recorded++
	m.expire(now)
	n := find(m.similar, func(n *modelNotes) bool { return n.key == t.similarity })
	if n != nil {
		n.last = now
		m.similar = use(m.similar, n)
		if !slices.Contains(n.notes, t.note) && len(n.notes) >= m.config.Similar {
			m.status.Combined++
			t.note, t.combined = "", true
		}
	}
	if s := find(m.open, func(s *modelSeries) bool { return s.topic == t }); s != nil {
		s.count++
		s.last = now
		m.open = use(m.open, s)
		m.status.Merged++
		return s, ""
	}
	if len(m.ready(now)) >= m.config.Buffer {
		return nil, Full
	}
	if !m.spend(now, t.regarding) {
		return nil, Limited
	}
	if !t.combined {
		m.know(now, n, t)
	}
	return m.begin(now, t), ""
}

func (m *model) spend(now time.Time, who identity) bool {
	b := find(m.budgets, func(b *modelBudget) bool { return b.key == who })
	if b == nil {
		b = &modelBudget{who, float64(m.config.Burst), now}
	}
	b.tokens = min(float64(m.config.Burst), b.tokens+float64(now.Sub(b.used))/float64(m.config.Refill))
	b.used = now
	m.budgets = last(use(m.budgets, b), m.config.Memory)
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

func (m *model) know(now time.Time, n *modelNotes, t topic) {
	if n == nil {
		n = &modelNotes{key: t.similarity}
	}
	if !slices.Contains(n.notes, t.note) {
		n.notes = append(n.notes, t.note)
	}
	n.last = now
	m.similar = last(use(m.similar, n), m.config.Memory)
}

func (m *model) begin(now time.Time, t topic) *modelSeries {
	s := &modelSeries{topic: t, last: now, count: 1, open: true}
	m.all, m.open = append(m.all, s), append(m.open, s)
	for len(m.open) > m.config.Memory {
		m.open[0].open = false
		m.open = m.open[1:]
	}
	return s
}

// A machine is the correlator with a server, beside the model.
type machine struct {
	t      *rapid.T
	now    time.Time
	c      *correlator
	model  *model
	server *server
	job    job // that is being written, if any
	busy   *modelSeries
}

func (m *machine) record(event Event) {
	h, ok := event.happen(kinds{})
	if !ok {
		m.t.Fatalf("%+v is invalid", event)
	}
	before := maps.Clone(m.c.status.Dropped)
	want, cause := m.model.observe(m.now, h.topic)
	m.c.observe(m.now, h)
	if cause != "" {
		before[cause]++
		m.model.status.drop(cause, 1)
	}
	if !maps.Equal(before, m.c.status.Dropped) {
		m.t.Fatalf("dropped %v, want %v", m.c.status.Dropped, before)
	}
	if want == nil {
		return
	}
	got, ok := m.c.open.get(want.topic)
	if want.twin == nil {
		want.twin = got
	}
	if !ok || got != want.twin || got.count != want.count {
		m.t.Fatalf("the event is in %+v, want %+v", got, want)
	}
}

// take begins a write.
func (m *machine) take() {
	if m.busy != nil {
		return
	}
	m.model.expire(m.now)
	ready := m.model.ready(m.now)
	s, wait := m.c.next(m.now)
	if s == nil {
		if len(ready) > 0 || wait == 0 {
			m.t.Fatalf("nothing to write, wait %v; want one of %d", wait, len(ready))
		}
		return
	}
	m.busy = find(ready, func(r *modelSeries) bool { return r.twin == s })
	if m.busy == nil {
		m.t.Fatalf("%+v is written, want one of %d", s, len(ready))
	}
	m.busy.busy = true
	m.job = newJob(s, m.c.config)
}

// finish ends it.
func (m *machine) finish(f failure) {
	if m.busy == nil {
		return
	}
	m.server.fail = func(string, int) failure { return f }
	err := m.job.write(context.Background(), m.server.Events(m.job.namespace))
	o := classify(err, m.job.event == nil)
	m.c.wrote(m.now, m.job.series, m.job.count, o)
	m.learn(o)
	m.busy.busy = false
	m.busy = nil
}

// forget loses all Events, as when their time to live is over.
func (m *machine) forget() {
	clear(m.server.events)
	for _, s := range m.model.all {
		s.lost = true
	}
}

// learn tells the model what is written. It believes the series in what an answer that was lost has done.
func (m *machine) learn(o outcome) {
	s := m.busy
	switch o {
	case accepted:
		s.written, s.lost = m.job.count, false
		s.coolUntil = m.now.Add(m.c.config.UpdateInterval)
	case exists:
		s.written, s.lost = s.twin.written, false
	case rejected:
		m.abandon(s, Rejected)
	case later, unknown:
		if s.twin.count == s.twin.written && s.count > s.written { // after RetryFor
			m.abandon(s, Unavailable)
		}
	case missing:
	}
}

func (m *machine) abandon(s *modelSeries, cause Cause) {
	m.model.status.drop(cause, s.count-s.written)
	s.count, s.open, s.lost = s.written, false, true
	m.model.open = slices.DeleteFunc(m.model.open, func(o *modelSeries) bool { return o == s })
}

// check compares all that can be counted.
func (m *machine) check(t *rapid.T) {
	got, sum := m.c.status, 0
	var sent, buffered int
	for _, s := range m.model.all {
		sent += s.written
		buffered += s.count - s.written
	}
	for _, n := range got.Dropped {
		sum += n
	}
	want := m.model.status
	if got.Recorded != want.Recorded || got.Merged != want.Merged || got.Combined != want.Combined || !maps.Equal(got.Dropped, want.Dropped) {
		t.Fatalf("status %+v, want %+v", got, want)
	}
	if got.Sent != sent || got.Buffered != buffered || got.Recorded != got.Sent+got.Buffered+sum {
		t.Fatalf("status %+v, want %d sent and %d buffered", got, sent, buffered)
	}
	memory := m.c.config.Memory
	if m.c.open.len() > memory || m.c.similar.len() > memory || m.c.budgets.len() > memory || m.c.ready.len() > m.c.config.Buffer+2*memory {
		t.Fatalf("%d open, %d similar, %d budgets, %d ready", m.c.open.len(), m.c.similar.len(), m.c.budgets.len(), m.c.ready.len())
	}
}

// flush writes all that is left, and compares the server with the model.
func (m *machine) flush() {
	m.finish(failure{})
	m.c.end(m.now)
	for _, s := range m.model.all {
		s.coolUntil = time.Time{}
	}
	for range 2 * (len(m.model.all) + 1) {
		m.take()
		m.finish(failure{})
		for _, s := range m.model.all {
			s.coolUntil = time.Time{}
		}
	}
	if m.c.status.Buffered != 0 {
		m.t.Fatalf("%+v after all was flushed", m.c.status)
	}
	for _, s := range m.model.all {
		m.compare(s)
	}
}

// compare looks for a series on the server, where it is if all of it was sent.
func (m *machine) compare(s *modelSeries) {
	if s.lost {
		return
	}
	for key, event := range m.server.events {
		if key.Name == s.twin.name && count(event) == s.count {
			return
		}
	}
	m.t.Fatalf("the server has no Event of %+v", s)
}

func failures() map[string]failure {
	return map[string]failure{
		"":         {},
		"refused":  {err: apierrors.NewForbidden(resource, "x", errors.New("no right"))},
		"busy":     {err: apierrors.NewTooManyRequests("later", 1)},
		"cut":      {err: errors.New("connection reset by peer")},
		"lost":     {err: errors.New("connection reset by peer"), did: true},
		"internal": {err: apierrors.NewInternalError(errors.New("etcd"))},
	}
}

func TestCorrelatorAgreesWithTheModel(t *testing.T) {
	outcomes := failures()
	names := slices.Sorted(maps.Keys(outcomes))
	rapid.Check(t, func(t *rapid.T) {
		config := Config{
			Controller: "c", Instance: "i", Window: 20 * time.Second, UpdateInterval: 5 * time.Second, Similar: 3,
			SimilarWindow: 40 * time.Second, Burst: 6, Refill: 8 * time.Second, RetryFor: 30 * time.Second,
			Buffer: rapid.IntRange(1, 10).Draw(t, "buffer"), Memory: rapid.IntRange(1, 12).Draw(t, "memory"),
		}.withDefaults()
		m := &machine{
			t: t, now: time.Unix(1_000_000, 0), c: newCorrelator(config), server: newServer(),
			model: &model{config: config, status: Status{Dropped: make(map[Cause]int)}},
		}
		t.Repeat(map[string]func(*rapid.T){
			"record": func(t *rapid.T) {
				m.record(Event{
					Regarding: &corev1.ObjectReference{Kind: "Pod", Namespace: "n", Name: fmt.Sprint("pod-", rapid.IntRange(0, 2).Draw(t, "object"))},
					Reason:    rapid.SampledFrom([]string{"Made", "Gone"}).Draw(t, "reason"),
					Note:      fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "note")),
				})
			},
			"wait":   func(t *rapid.T) { m.now = m.now.Add(time.Duration(rapid.IntRange(1, 15).Draw(t, "s")) * time.Second) },
			"take":   func(*rapid.T) { m.take() },
			"finish": func(t *rapid.T) { m.finish(outcomes[rapid.SampledFrom(names).Draw(t, "outcome")]) },
			"forget": func(*rapid.T) { m.forget() },
			"":       m.check,
		})
		m.flush()
	})
}
