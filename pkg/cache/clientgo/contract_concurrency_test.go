package clientgo_test

import (
	"fmt"
	"strconv"
	"sync"
	"testing"

	"k8s.io/client-go/tools/cache"
)

// Every query is answered from one snapshot, whatever is written meanwhile. Replace and Transaction are one write each.
func TestContractStoreAnswersFromOneSnapshot(t *testing.T) {
	const rounds = 300
	forEach(t, func(t *scene) {
		indexer := newPodIndexer(t.implementation)
		wantOK(t, indexer.Replace(toAnyOfRound(0), "0"))
		var writer sync.WaitGroup
		done := make(chan struct{})
		writer.Go(func() {
			defer close(done)
			for round := range rounds {
				if round%2 == 0 {
					wantOK(t, indexer.Replace(toAnyOfRound(round), strconv.Itoa(round)))
					continue
				}
				if err := indexer.(cache.TransactionStore).Transaction(updatesOfRound(round)...); err != nil {
					t.Error(err)
				}
			}
		})
		var readers sync.WaitGroup
		for range 3 {
			readers.Go(func() { readUntil(t, done, indexer) })
		}
		writer.Wait()
		readers.Wait()
	})
}

// Pods that are replaced together are all on the node of the round.
const podsOfARound = 5

func toAnyOfRound(round int) (objs []any) {
	for i := range podsOfARound {
		objs = append(objs, newPod(fmt.Sprint("p", i), onNode(fmt.Sprint("n", round)), atVersion(strconv.Itoa(round))))
	}
	return objs
}

func updatesOfRound(round int) (updates []cache.Transaction) {
	for _, obj := range toAnyOfRound(round) {
		updates = append(updates, updating(obj))
	}
	return updates
}

// ReadUntil checks that no query sees pods of two rounds.
func readUntil(t *scene, done <-chan struct{}, indexer cache.Indexer) {
	for {
		select {
		case <-done:
			return
		default:
		}
		listed := indexer.List()
		if len(listed) != podsOfARound || rounds(listed) != 1 {
			t.Errorf("List returned %d pods of %d rounds", len(listed), rounds(listed))
		}
		for _, node := range indexer.ListIndexFuncValues("node") {
			objs, err := indexer.ByIndex("node", node)
			if n := len(objs); err != nil || n != 0 && n != podsOfARound || rounds(objs) > 1 {
				t.Errorf("ByIndex returned %d pods of %d rounds, %v", n, rounds(objs), err)
			}
		}
	}
}

func rounds(objs []any) int {
	seen := map[string]bool{}
	for _, obj := range objs {
		values, _ := byNode(obj)
		seen[values[0]] = true
	}
	return len(seen)
}

// Handlers come and go while events flow. Those that stay see the last state.
func TestContractHandlersComeAndGo(t *testing.T) {
	const updates = 90 // fewer than a watch.RaceFreeFakeWatcher holds
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		go informer.RunWithContext(t.Context())
		var work sync.WaitGroup
		work.Go(func() {
			for range updates {
				source.update(newPod("a"))
			}
		})
		stayed := make([]latest, 8)
		for i := range stayed {
			work.Go(func() {
				_, err := informer.AddEventHandler(&stayed[i])
				wantGone(t, informer, err)
			})
		}
		work.Wait()
		settle()
		for i := range stayed {
			if got, want := stayed[i].version, strconv.Itoa(updates+1); got != want {
				t.Errorf("handler %d saw version %s last, want %s", i, got, want)
			}
		}
	})
}

// WantGone adds a handler, waits until it is synced, and shuts it down.
func wantGone(t *scene, informer cache.SharedInformer, err error) {
	if err != nil {
		t.Error(err)
	}
	handle, err := informer.AddEventHandler(&latest{})
	if err != nil || !cache.WaitFor(t.Context(), "", handle.HasSyncedChecker()) {
		t.Errorf("a handler that joined did not sync: %v", err)
	}
	if err := cache.ShutDownEventHandler(informer, handle); err != nil {
		t.Error(err)
	}
}

// A latest is a handler that remembers the last version that it saw.
type latest struct{ version string }

func (l *latest) OnAdd(obj any, isInInitialList bool) { l.OnUpdate(nil, obj) }
func (l *latest) OnDelete(any)                        { l.version = "deleted" }

func (l *latest) OnUpdate(_, newObj any) {
	accessor := newObj.(interface{ GetResourceVersion() string })
	l.version = accessor.GetResourceVersion()
}
