package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A trial does the same with a queue and with its model, and compares what can be seen of them.
type trial struct {
	chooser
	t     rapid.TB
	clock *clocktesting.FakeClock
	queue *queue.Queue[string]
	model *model
	items []takenItem // of runs that may be over
	ended context.Context
	log   []string
}

type takenItem struct {
	queue.Item[string]
	number int // of the run, for the model
}

func newTrial(t rapid.TB, c chooser) *trial {
	t.Helper()
	config := chooseConfig(c)
	clock := clocktesting.NewFakeClock(time.Unix(0, 0))
	config.Clock = clock
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	return &trial{
		chooser: c, t: t, clock: clock, queue: queue.New(config.Config), model: newModel(config, clock.Now()),
		items: make([]takenItem, 1), // an item of no run
		ended: ended,
		log:   []string{fmt.Sprintf("%+v", config)},
	}
}

func (tr *trial) chooseKey() string { return oneOf(tr, "key", tr.model.config.keys...) }

// operations are what a trial may do next. What happens often stands there several times.
func operations() map[string]func(*trial) {
	return map[string]func(*trial){
		"Add":              (*trial).add,
		"AddAll":           (*trial).addAll,
		"AddAfter":         (*trial).addAfter,
		"AddRateLimited":   (*trial).addRateLimited,
		"AddWith":          (*trial).addWith,
		"AddWith again":    (*trial).addWith,
		"Take":             (*trial).take,
		"Take again":       (*trial).take,
		"Get":              (*trial).get,
		"Done":             (*trial).done,
		"Finish":           (*trial).finish,
		"Finish the last":  (*trial).finishLast,
		"FinishAndTake":    (*trial).finishAndTake,
		"Cancel":           (*trial).cancel,
		"Forget":           (*trial).forget,
		"Replay":           (*trial).replay,
		"ReplayAll":        (*trial).replayAll,
		"Drop":             (*trial).drop,
		"DropAll":          (*trial).dropAll,
		"ShutDown":         (*trial).shutDown,
		"step":             (*trial).step,
		"step a bit":       (*trial).stepABit,
		"events of a run":  (*trial).eventsOfARun,
		"backlog":          (*trial).backlog,
		"events of a key":  (*trial).eventsOfAKey,
		"look at the rest": (*trial).look,
	}
}

func (tr *trial) addAll() {
	keys := make([]string, tr.choose("keys to add", 4))
	for i := range keys {
		keys[i] = tr.chooseKey()
	}
	tr.doing("AddAll(%v)", keys)
	tr.queue.AddAll(slices.Values(keys))
	for _, key := range keys {
		tr.model.Add(key)
	}
}

func (tr *trial) add() {
	key := tr.chooseKey()
	tr.doing("Add(%s)", key)
	tr.queue.Add(key)
	tr.model.Add(key)
}

func (tr *trial) addAfter() { tr.addAfterOf(tr.chooseKey()) }

func (tr *trial) addAfterOf(key string) {
	delay := chooseDelay(tr)
	tr.doing("AddAfter(%s, %v)", key, delay)
	tr.queue.AddAfter(key, delay)
	tr.model.AddAfter(key, delay)
}

func (tr *trial) addRateLimited() {
	key := tr.chooseKey()
	tr.doing("AddRateLimited(%s)", key)
	tr.queue.AddRateLimited(key)
	tr.model.AddRateLimited(key)
}

func (tr *trial) addWith() { tr.event(tr.chooseKey(), chooseOptions(tr)) }

func (tr *trial) event(key string, options queue.AddOptions) {
	tr.doing("AddWith(%s, %+v)", key, options)
	tr.queue.AddWith(key, options)
	tr.model.AddWith(key, options)
}

func (tr *trial) take() {
	tr.doing("Take")
	item, err := tr.queue.Take(tr.ended)
	r := tr.model.Take()
	switch {
	case r != nil:
		tr.same("error of Take", err, error(nil))
		tr.same("item", visible(item), tr.model.item(r))
		tr.items = append(tr.items, takenItem{item, r.run})
	case tr.model.closed:
		tr.same("error of Take", err, queue.ErrShutDown)
	default:
		tr.same("error of Take", err, context.Canceled)
	}
}

// visible returns the item without what only the queue knows.
func visible(item queue.Item[string]) queue.Item[string] {
	return queue.Item[string]{
		Key: item.Key, Attempt: item.Attempt, Priority: item.Priority, ReadyAt: item.ReadyAt, TakenAt: item.TakenAt,
		Triggers: item.Triggers,
	}
}

// get does what take does, unless it would wait.
func (tr *trial) get() {
	if len(tr.model.ready) == 0 && !tr.model.closed {
		return
	}
	tr.doing("Get")
	key, shutDown := tr.queue.Get()
	if r := tr.model.Take(); r != nil {
		tr.same("key", key, r.key)
		tr.same("shut down", shutDown, false)
	} else {
		tr.same("shut down", shutDown, true)
	}
}

func (tr *trial) done() {
	key := tr.chooseKey()
	tr.doing("Done(%s)", key)
	tr.queue.Done(key)
	tr.model.Done(key)
}

func (tr *trial) finish() {
	latest := tr.items[max(0, len(tr.items)-6):]
	tr.end(oneOf(tr, "item", latest...), chooseVerdict(tr))
}

func (tr *trial) finishLast() { tr.end(tr.items[len(tr.items)-1], chooseVerdict(tr)) }

func (tr *trial) end(item takenItem, v verdict) {
	tr.doing("Finish(%s of run %d, %v)", item.Key, item.number, v)
	tr.queue.Finish(item.Item, v.outcome())
	if item.number != 0 {
		tr.model.Finish(item.Key, item.number, v)
	}
}

func (tr *trial) finishAndTake() {
	latest := tr.items[max(0, len(tr.items)-6):]
	finished, v := oneOf(tr, "item", latest...), chooseVerdict(tr)
	tr.doing("FinishAndTake(%s of run %d, %v)", finished.Key, finished.number, v)
	item := finished.Item
	ok := tr.queue.FinishAndTake(&item, v.outcome())
	if finished.number != 0 {
		tr.model.Finish(finished.Key, finished.number, v)
	}
	if r := tr.model.Take(); r != nil {
		tr.same("taken", ok, true)
		tr.same("item", visible(item), tr.model.item(r))
		tr.items = append(tr.items, takenItem{item, r.run})
	} else {
		tr.same("taken", ok, false)
		tr.same("item", item, finished.Item)
	}
}

// eventsOfARun takes a key, adds it several times, and ends the run.
func (tr *trial) eventsOfARun() {
	tr.take()
	item := tr.items[len(tr.items)-1]
	if item.number == 0 {
		return
	}
	for range tr.choose("events", 4) {
		switch tr.choose("kind of event", 4) {
		case 0:
			tr.event(item.Key, chooseOptions(tr))
		case 1:
			tr.addAfterOf(item.Key)
		case 2:
			tr.event(item.Key, queue.AddOptions{})
		case 3:
			tr.stepABit()
		}
		tr.perhapsLook()
	}
	tr.end(item, chooseVerdict(tr))
}

// eventsOfAKey adds one key several times in short intervals, and lets it run in between.
func (tr *trial) eventsOfAKey() {
	key := tr.chooseKey()
	for range 5 {
		tr.event(key, queue.AddOptions{})
		switch tr.choose("between events", 4) {
		case 1:
			tr.addAfterOf(key)
		case 2, 3:
			tr.take()
			tr.end(tr.items[len(tr.items)-1], verdict{kind: success, after: oneOf(tr, "after", 0, 0, 5*time.Second/2)})
		}
		tr.letPass(time.Duration(tr.choose("half seconds", 3)) * time.Second / 2)
		tr.perhapsLook()
	}
}

// backlog adds several keys in several classes.
func (tr *trial) backlog() {
	for range 4 {
		tr.event(tr.chooseKey(), queue.AddOptions{Priority: oneOf(tr, "priority", queue.Normal, queue.High, queue.Low)})
	}
}

func (tr *trial) cancel() {
	key := tr.chooseKey()
	tr.doing("Cancel(%s)", key)
	tr.same("Cancel", tr.queue.Cancel(key), tr.model.Cancel(key))
}

func (tr *trial) forget() {
	key := tr.chooseKey()
	tr.doing("Forget(%s)", key)
	tr.queue.Forget(key)
	tr.model.Forget(key)
}

func (tr *trial) replay() {
	key := tr.chooseKey()
	tr.doing("Replay(%s)", key)
	tr.same("Replay", tr.queue.Replay(key), tr.model.Replay(key))
}

func (tr *trial) replayAll() {
	tr.doing("ReplayAll")
	tr.same("ReplayAll", tr.queue.ReplayAll(), tr.model.ReplayAll())
}

func (tr *trial) drop() {
	key := tr.chooseKey()
	tr.doing("Drop(%s)", key)
	tr.same("Drop", tr.queue.Drop(key), tr.model.Drop(key))
}

func (tr *trial) dropAll() {
	tr.doing("DropAll")
	tr.same("DropAll", tr.queue.DropAll(), tr.model.DropAll())
}

// shutDown shuts the queue down, once in a while and in one of several ways.
func (tr *trial) shutDown() {
	switch tr.choose("how", 100) {
	case 1:
		tr.doing("ShutDown")
		tr.queue.ShutDown()
		tr.model.ShutDown()
	case 2:
		tr.doing("Drain")
		err := tr.queue.Drain(tr.ended)
		tr.model.ShutDown()
		tr.same("drained", err == nil, tr.model.empty())
		tr.same("error of Drain", errors.Is(err, context.Canceled), !tr.model.empty())
	case 3:
		if tr.model.empty() {
			tr.doing("ShutDownWithDrain")
			tr.queue.ShutDownWithDrain()
			tr.model.ShutDown()
		}
	}
}

func (m *model) empty() bool { return len(m.ready)+len(m.running) == 0 }

func (tr *trial) step() { tr.letPass(time.Duration(1+tr.choose("half seconds", 6)) * time.Second / 2) }

func (tr *trial) stepABit() {
	tr.letPass(time.Duration(tr.choose("half seconds", 4)) * time.Second / 2)
}

func (tr *trial) letPass(d time.Duration) {
	tr.doing("step %v", d)
	tr.clock.Step(d)
	tr.model.step(d)
}

type rapidChooser struct{ t *rapid.T }

func (c *rapidChooser) choose(what string, n int) int { return rapid.IntRange(0, n-1).Draw(c.t, what) }

func TestQueueAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chooser := &rapidChooser{t}
		trial := newTrial(t, chooser)
		actions := map[string]func(*rapid.T){"": func(*rapid.T) { trial.perhapsLook() }}
		for name, do := range operations() {
			actions[name] = func(t *rapid.T) {
				chooser.t = t
				do(trial)
			}
		}
		for range 9 { // one is short
			t.Repeat(actions)
		}
		trial.look()
	})
}
