package cache

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// A keySet is a queue that remembers what was added.
type keySet struct{ keys []types.NamespacedName }

func (q *keySet) Add(key types.NamespacedName) { q.keys = append(q.keys, key) }

func TestEnqueueAddsTheKeyOfEachEvent(t *testing.T) {
	var queue keySet
	play(t, Config{}, func(s scene) { s.informer.Subscribe("queue", Enqueue[cm](&queue)) }, func(s scene) {
		s.delete("a", "6")
		if want := []types.NamespacedName{nsKey("a"), nsKey("b"), nsKey("a")}; !slices.Equal(queue.keys, want) {
			s.Errorf("the queue got %v, want %v", queue.keys, want)
		}
	})
}

func TestResyncTellsEverythingAgain(t *testing.T) {
	var never, often, seldom, late log
	play(t, Config{}, func(s scene) {
		s.informer.Subscribe("never", never.handle)
		s.informer.SubscribeWith(SubscribeOptions{Resync: time.Minute}, often.handle)
		s.informer.SubscribeWith(SubscribeOptions{Resync: 150 * time.Second}, seldom.handle)
	}, func(s scene) {
		initial, again := []string{"Added a@1 initial", "Added b@1 initial"}, []string{"Updated a@1 resync", "Updated b@1 resync"}
		often.next(s.T, initial...)
		seldom.next(s.T, initial...)
		time.Sleep(time.Minute - 1)
		often.next(s.T)
		time.Sleep(time.Nanosecond)
		often.next(s.T, again...)
		s.informer.SubscribeWith(SubscribeOptions{Resync: 30 * time.Second}, late.handle)
		late.next(s.T, initial...)
		time.Sleep(30 * time.Second)
		late.next(s.T, again...)
		often.next(s.T)
		time.Sleep(30 * time.Second)
		often.next(s.T, again...)
		seldom.next(s.T)
		time.Sleep(30 * time.Second)
		seldom.next(s.T, again...)
		never.next(s.T, initial...)
	})
}

func TestASlowSubscriberGetsOneResyncAtATime(t *testing.T) {
	var seen log
	var slow *Subscription[cm]
	play(t, Config{}, func(s scene) {
		slow = s.informer.SubscribeWith(SubscribeOptions{Resync: time.Second}, func(ctx context.Context, event Event[cm]) {
			seen.handle(ctx, event)
			if event.Resync {
				time.Sleep(time.Hour)
			}
		})
	}, func(s scene) {
		seen.next(s.T, "Added a@1 initial", "Added b@1 initial")
		time.Sleep(time.Hour)
		seen.next(s.T, "Updated a@1 resync")
		if got := slow.Pending(); got != 3 { // one of the first resync, two of the next
			s.Errorf("%d events wait, want 3", got)
		}
		slow.Stop()
		<-slow.Ended()
	})
}

func TestStopFromInsideTheHandler(t *testing.T) {
	var seen log
	var subscription *Subscription[cm]
	play(t, Config{}, func(s scene) {
		subscription = s.informer.Subscribe("once", func(ctx context.Context, event Event[cm]) {
			seen.handle(ctx, event)
			subscription.Stop()
			subscription.Stop()
		})
	}, func(s scene) {
		<-subscription.Ended()
		s.update("a", "6")
		seen.want(s.T, "Added a@1 initial")
		if err := subscription.WaitForSync(s.Context()); err == nil || subscription.HasSynced() {
			s.Error("it claims to have synced, but it has not seen all")
		}
		if subscription.Name() != "once" || subscription.Pending() < 0 {
			s.Errorf("name is %q, pending %d", subscription.Name(), subscription.Pending())
		}
	})
}

func TestTheHandlersContextIsThatOfRun(t *testing.T) {
	type mark struct{}
	synctest.Test(t, func(t *testing.T) {
		i := newTestInformer(newLiveServer())
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), mark{}, "ours"))
		got := make(chan context.Context, 2)
		i.Subscribe("s", func(ctx context.Context, _ Event[cm]) {
			got <- ctx
			cancel()
		})
		if err := i.Run(ctx); err != nil {
			t.Error(err)
		}
		if ctx := <-got; ctx.Value(mark{}) != "ours" || ctx.Err() == nil {
			t.Errorf("the handler got %v", ctx)
		}
	})
}

func TestBatchesAreAFeedOfTheirOwn(t *testing.T) {
	play(t, Config{}, nil, func(s scene) {
		var seen [][]string
		ctx, cancel := context.WithCancel(s.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for events := range s.informer.Batches(ctx) {
				var entries []string
				for _, event := range events {
					entries = append(entries, entryOf(event))
				}
				seen = append(seen, entries)
			}
		}()
		synctest.Wait()
		s.update("a", "6")
		s.delete("b", "7")
		want := [][]string{{"Added a@1 initial", "Added b@1 initial"}, {"Updated a@6"}, {"Deleted b@7"}}
		if fmt.Sprint(seen) != fmt.Sprint(want) {
			s.Errorf("the batches are %q, want %q", seen, want)
		}
		cancel()
		<-ended
		for range s.informer.Batches(s.Context()) {
			break // a loop may end early
		}
		if got := len(s.informer.fanOut.feeds); got != 0 {
			s.Errorf("%d feeds are left", got)
		}
	})
}

func TestBatchesEndWithTheInformer(t *testing.T) {
	play(t, Config{}, nil, func(s scene) {
		go func() { // the bubble waits for it
			for range s.informer.Batches(context.Background()) {
				continue
			}
		}()
		synctest.Wait()
	})
}

func TestNotifyUnchanged(t *testing.T) {
	for _, unchanged := range []bool{false, true} {
		var seen log
		play(t, Config{NotifyUnchanged: unchanged}, func(s scene) { s.informer.Subscribe("s", seen.handle) }, func(s scene) {
			before, _ := s.informer.Indexer().Get(nsKey("a"))
			seen.next(s.T, "Added a@1 initial", "Added b@1 initial")
			s.server.relist("8", configMap("a", "u", "1"))
			want := []string{"Deleted b@1 unseen"}
			if unchanged {
				want = []string{"Updated a@1 resync", "Deleted b@1 unseen"}
			}
			seen.next(s.T, want...)
			if after, _ := s.informer.Indexer().Get(nsKey("a")); after != before {
				s.Error("the relist replaced an object whose version is the same")
			}
			s.update("a", "1")
			if after, _ := s.informer.Indexer().Get(nsKey("a")); (after != before) != unchanged {
				s.Errorf("with NotifyUnchanged %v another object of the same version came in: %v", unchanged, after != before)
			}
		})
	}
}

func TestASnapshotNeverChanges(t *testing.T) {
	indexer := NewIndexer[cm]()
	byVersion := AddPrefixIndex(indexer, "version", func(obj cm) ([]string, error) { return []string{obj.ResourceVersion}, nil })
	indexer.Apply(Batch[cm]{Replaced: true, Items: []cm{configMap("a", "u", "10"), configMap("b", "u", "11")}, ResourceVersion: "11"})
	held := indexer.Snapshot()
	indexer.Apply(Batch[cm]{Deltas: []Delta[cm]{set(configMap("a", "u", "12")), remove(configMap("b", "u", "13"))}, ResourceVersion: "13"})

	var prefix []string
	for version, obj := range byVersion.In(held).Prefix("1") {
		prefix = append(prefix, version+obj.Name)
	}
	if want := []string{"10a", "11b"}; !slices.Equal(prefix, want) || held.ResourceVersion() != "11" || held.Len() != 2 {
		t.Errorf("the snapshot at %s has %v, want %v", held.ResourceVersion(), prefix, want)
	}
	chunked := 0
	for chunk := range held.Chunks() {
		chunked += len(chunk)
	}
	if len(held.List()) != 2 || chunked != 2 || len(slices.Collect(held.InNamespace("ns"))) != 2 {
		t.Error("the ways to read the snapshot do not agree")
	}
	if byVersion.In(held).Count("10") != 1 || byVersion.Count("10") != 0 || byVersion.Count("12") != 1 {
		t.Error("the index is not of its snapshot")
	}
	if got := len(slices.Collect(indexer.InNamespace("another"))); got != 0 {
		t.Errorf("%d objects in an empty namespace", got)
	}
	added := AddIndex(indexer, "late", func(obj cm) ([]string, error) { return []string{obj.Name}, nil })
	if added.In(held).Count("b") != 1 || added.Count("b") != 0 {
		t.Error("an index that came later does not read the snapshot as it was")
	}
	selected := slices.Collect(Select(held.All(), labels.SelectorFromSet(labels.Set{"version": "11"})))
	if len(selected) != 1 || selected[0].Name != "b" || len(slices.Collect(Select(held.All(), labels.Everything()))) != 2 {
		t.Errorf("the selector found %v", selected)
	}
}

// Subscribers come and go, and readers read, while objects change: under the race detector.
func TestConcurrentUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newLiveServer()
		i := newTestInformer(server)
		byName := AddIndex(i.Indexer(), "name", func(obj cm) ([]string, error) { return []string{obj.Name}, nil })
		stop := start(t, i)
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		var users sync.WaitGroup
		for range 3 {
			users.Go(func() { comeAndGo(ctx, t, i) })
			users.Go(func() { read(ctx, t, i.Indexer(), byName) })
		}
		for version := 10; version < 3000; version++ {
			name := fmt.Sprint("n", version%7)
			if version%5 == 0 {
				server.stream.Delete(configMap(name, "u", fmt.Sprint(version)))
			} else {
				server.stream.Modify(configMap(name, "u", fmt.Sprint(version)))
			}
			if version%50 == 0 {
				time.Sleep(time.Second) // lets the others get on
			}
		}
		cancel()
		users.Wait()
		stop()
	})
}

// comeAndGo subscribes again and again; each time the events must add up to what the cache has.
func comeAndGo(ctx context.Context, t *testing.T, i *Informer[cm]) {
	t.Helper()
	for ctx.Err() == nil {
		seen := newReplayer(t)
		s := i.SubscribeWith(SubscribeOptions{Resync: time.Second}, func(_ context.Context, event Event[cm]) { seen.apply(event) })
		if err := s.WaitForSync(ctx); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
		time.Sleep(3 * time.Second)
		s.Close()
	}
}

func read(ctx context.Context, t *testing.T, indexer *Indexer[cm], byName *Index[cm, string]) {
	t.Helper()
	for ctx.Err() == nil {
		s := indexer.Snapshot()
		for obj := range s.All() {
			if got, ok := s.Get(KeyOf(obj)); !ok || got != obj || byName.In(s).Count(obj.Name) != 1 {
				t.Errorf("the snapshot does not agree with itself about %s", obj.Name)
			}
		}
		if len(s.List()) != s.Len() {
			t.Error("the snapshot does not agree with itself about its length")
		}
		time.Sleep(time.Millisecond)
	}
}
