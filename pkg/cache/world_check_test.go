package cache

import (
	"slices"
	"strconv"
)

// checkContent compares the cache with what the server was at the version the cache claims.
func (w *world) checkContent() {
	content := w.indexer.Snapshot()
	version, _ := strconv.Atoi(content.ResourceVersion())
	truth := w.server.moments[[2]int{w.applied, version}]
	for obj := range content.All() {
		if truth[obj.Name] == nil {
			w.t.Fatalf("at version %d the cache has %q, the server had not", version, obj.Name)
		}
	}
	for name, want := range truth {
		got, ok := content.Get(KeyOf(want))
		if want.Labels["bad"] == "" && (!ok || stateOf(got) != stateOf(want)) {
			w.t.Fatalf("at version %d the server had %q as %s, the cache has %v", version, name, stateOf(want), got)
		}
		if ok && got.Labels["bad"] != "" {
			w.t.Fatalf("a bad object is cached: %s", stateOf(got))
		}
		if ok && !slices.Contains(slices.Collect(w.labels.In(content).Lookup(got.ResourceVersion)), got) {
			w.t.Fatalf("the index does not find %s", stateOf(got))
		}
	}
}

func (w *world) checkQuarantine() {
	bad := 0
	for _, obj := range w.server.objects {
		if obj.Labels["bad"] != "" {
			bad++
		}
	}
	for _, q := range w.indexer.Quarantined() {
		if obj := w.server.objects[q.Key.Name]; obj == nil || obj.ResourceVersion != q.ResourceVersion {
			w.t.Fatalf("%s@%s is quarantined, but there is no such object", q.Key, q.ResourceVersion)
		}
	}
	if got := len(w.indexer.Quarantined()); got != bad {
		w.t.Fatalf("%d objects are quarantined, want %d", got, bad)
	}
}

// checkMemory checks that what waits is of keys that exist or that somebody knows, at most two events for each.
func (w *world) checkMemory() {
	waiting := w.fifo.waiting
	if len(waiting.batch.Deltas) > waiting.limit {
		w.t.Fatalf("%d deltas wait unmerged", len(waiting.batch.Deltas))
	}
	if merged := waiting.merged; merged != nil {
		if len(merged.entries) > 2*merged.len()+1 {
			w.t.Fatalf("%d entries for %d keys", len(merged.entries), merged.len())
		}
		for c := range merged.all() {
			if c.current.Type == 0 && !w.known[c.deleted.Object.Name] {
				w.t.Fatalf("the deletion of %q waits, which nobody knew", c.deleted.Object.Name)
			}
		}
	}
	for _, follower := range w.feeds {
		w.checkFeed(follower)
	}
}

func (w *world) checkFeed(x follower) {
	if lag := w.began - x.feed.at.position; lag > x.feed.maxLag {
		w.t.Fatalf("a subscriber is %d events behind", lag)
	}
	if x.feed.behind == nil {
		return
	}
	count := 0
	for waiting := range x.feed.behind.keys.all() {
		count += waiting.count
		key := waiting.events[0].Key
		_, live := w.indexer.Get(key)
		_, known := x.seen.objects[key]
		if existing := x.feed.existing; existing != nil && !known {
			_, known = existing.Get(key)
		}
		if !live && !known {
			w.t.Fatalf("%s waits, of an object that nobody knows", entryOf(waiting.events[0]))
		}
	}
	if keys := x.feed.behind.keys; count != x.feed.behind.count || len(keys.entries) > 2*keys.len()+1 {
		w.t.Fatalf("%d events wait in %d entries of %d keys, %d are counted", count, len(keys.entries), keys.len(), x.feed.behind.count)
	}
}
