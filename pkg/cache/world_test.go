package cache

import (
	"slices"
	"strconv"
	"time"
)

// A world is the model and the pipeline beside it, both moved by the same steps.
type world struct {
	t         failer
	server    *server
	connected bool
	last      func() // the last event again

	ingest              *ingest[cm]
	fifo                *DeltaFIFO[cm]
	indexer             *Indexer[cm]
	labels              *Index[cm, string]
	out                 *fanOut[cm]
	taken               *Batch[cm]      // popped and not applied
	known               map[string]bool // what the consumer knew, or had taken, since it popped
	synced              bool
	takenEpoch, applied int // the server's epoch that they are of
	clock               time.Time
	feeds               []follower
}

// A follower is a subscriber with its own idea of what there is.
type follower struct {
	feed *feed[cm]
	seen *replayer
}

func newWorld(t failer, unchanged bool) *world {
	w := &world{t: t, server: newServer(), last: func() {}, known: map[string]bool{}, indexer: NewIndexer[cm](), clock: someTime}
	w.indexer.unchanged = unchanged
	w.labels = AddIndex(w.indexer, "version", func(obj cm) ([]string, error) { return []string{obj.Labels["version"]}, nil })
	w.fifo = NewDeltaFIFO(w.indexer)
	w.fifo.waiting.limit, w.fifo.taken.limit = 4, 4
	w.ingest = &ingest[cm]{w.fifo, []Transform[cm]{bad}, w.indexer.quarantine}
	w.out = newFanOut(w.indexer.Snapshot())
	w.join()
	return w
}

func (w *world) step(choose func(n int) int) {
	names := []string{"a", "b", "c", "d", "e"}
	switch choose(16) {
	case 0, 1, 2, 3, 4, 5:
		w.write(names[choose(len(names))], choose(3) == 0, choose(6) == 0)
	case 6:
		w.connected = false
	case 7:
		w.relist()
	case 8:
		w.restore(choose)
	case 9:
		w.repeat(names[choose(len(names))], choose)
	case 10:
		w.bookmark()
	case 11:
		w.pop()
	case 12:
		w.apply()
	case 13:
		w.take(choose)
	case 14:
		w.comeOrGo(choose)
	case 15:
		w.clock = w.clock.Add(time.Second)
		if w.out.beginResync(w.clock) {
			w.fifo.Resync()
		}
	}
	w.checkMemory()
}

func (w *world) send(event func()) {
	if w.connected {
		w.last = event
		event()
	}
}

func (w *world) write(name string, remove, bad bool) {
	old, exists := w.server.objects[name]
	switch {
	case !exists:
		obj := w.server.create(name, bad)
		w.send(func() { w.ingest.Add(obj.DeepCopy()) })
	case remove:
		obj := w.server.remove(name)
		w.send(func() { w.ingest.Delete(obj.DeepCopy()) })
	default:
		obj := w.server.put(name, old.UID, bad)
		w.send(func() { w.ingest.Update(obj.DeepCopy()) })
	}
}

func (w *world) relist() {
	w.ingest.Replace(w.server.list(), strconv.Itoa(w.server.version))
	for name := range w.server.objects {
		w.known[name] = true
	}
	w.connected, w.last = true, func() {}
}

// restore goes back to a version before what the FIFO has seen: otherwise nobody could tell.
func (w *world) restore(choose func(int) int) {
	known, _ := strconv.Atoi(w.fifo.version)
	if known < 2 {
		return
	}
	version := 1 + choose(known-1)
	for w.server.moments[[2]int{w.server.epoch, version}] == nil {
		if version++; version >= known {
			return
		}
	}
	w.server.restore(version)
	w.relist()
}

// repeat sends the last event again, or an older state of a living object.
func (w *world) repeat(name string, choose func(int) int) {
	past := w.server.past[name]
	switch {
	case !w.connected:
	case choose(2) == 0:
		if obj := w.server.objects[name]; obj != nil && obj.Labels["bad"] == "" {
			w.ingest.Update(past[choose(len(past))].DeepCopy())
		}
	default:
		w.last()
	}
}

func (w *world) bookmark() {
	if w.connected {
		w.ingest.Bookmark(strconv.Itoa(w.server.version))
	}
}

func (w *world) pop() {
	if w.taken != nil {
		return
	}
	w.known = map[string]bool{}
	for obj := range w.indexer.All() {
		w.known[obj.Name] = true
	}
	if batch, ok := w.fifo.swap(); ok {
		for _, obj := range batch.Items {
			w.known[obj.Name] = true
		}
		for _, delta := range batch.Deltas {
			w.known[delta.Object.Name] = true
		}
		w.taken, w.takenEpoch = &batch, w.server.epoch
	}
}

func (w *world) apply() {
	if w.taken == nil {
		return
	}
	batch := *w.taken
	w.taken = nil
	events := w.indexer.Apply(batch)
	w.applied = w.takenEpoch
	initial := batch.Replaced && !w.synced
	w.synced = w.synced || initial
	w.out.tell(events, w.indexer.Snapshot(), initial)
	if batch.Resync {
		w.out.resync()
	}
	w.checkContent()
}

func (w *world) join() {
	f := w.out.join(time.Duration(1+len(w.feeds))*time.Second, w.clock)
	f.maxLag = 5
	w.feeds = append(w.feeds, follower{f, newReplayer(w.t)})
}

func (w *world) comeOrGo(choose func(int) int) {
	if len(w.feeds) < 4 {
		w.join()
		return
	}
	n := choose(len(w.feeds))
	w.out.leave(w.feeds[n].feed)
	if got := w.feeds[n].feed.pending(); got != 0 {
		w.t.Fatalf("%d events wait for one who left", got)
	}
	w.feeds = slices.Delete(w.feeds, n, n+1)
}

func (w *world) take(choose func(int) int) {
	if len(w.feeds) == 0 {
		return
	}
	follower := w.feeds[choose(len(w.feeds))]
	before := follower.feed.pending()
	p, ok := follower.feed.take()
	if !ok && before > 0 {
		w.t.Fatalf("%d events are pending, but there is nothing to take", before)
	}
	events := p.slice()
	if got := follower.feed.pending() + len(events); got != before || len(events) != p.len() {
		w.t.Fatalf("%d events were pending, but %d were taken and remained", before, got)
	}
	for _, event := range events {
		follower.seen.apply(event)
	}
}

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

// finish lets everything come to rest and compares it all.
func (w *world) finish() {
	w.relist()
	for range 2 {
		w.apply()
		w.pop()
	}
	w.apply()
	for _, follower := range w.feeds {
		for p, ok := follower.feed.take(); ok; p, ok = follower.feed.take() {
			for event := range p.all() {
				follower.seen.apply(event)
			}
		}
		follower.seen.check(w.server, w.indexer.Snapshot())
	}
	w.checkQuarantine()
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
	if tail := w.out.tail; tail.end-int64(len(tail.events))-x.feed.at.end > x.feed.maxLag {
		w.t.Fatalf("a subscriber is %d events behind", tail.end-x.feed.at.end)
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
		if replay := x.feed.replay; replay != nil && !known {
			_, known = replay.Get(key)
		}
		if !live && !known {
			w.t.Fatalf("%s waits, of an object that nobody knows", entryOf(waiting.events[0]))
		}
	}
	if keys := x.feed.behind.keys; count != x.feed.behind.count || len(keys.entries) > 2*keys.len()+1 {
		w.t.Fatalf("%d events wait in %d entries of %d keys, %d are counted", count, len(keys.entries), keys.len(), x.feed.behind.count)
	}
}
