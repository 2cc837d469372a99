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
	began               int64           // where the last batch that changed anything begins in the log
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
	w.ingest = &ingest[cm]{w.fifo, []Transform[cm]{bad}, w.indexer.quarantine, ""}
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
	w.ingest.Replace(State[cm]{Items: w.server.list(), ResourceVersion: strconv.Itoa(w.server.version)})
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
		version++
		if version >= known {
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
	before := w.out.now.at
	w.out.tell(events, w.indexer.Snapshot(), initial)
	if w.out.now.at != before {
		w.began = before.position
	}
	if batch.Resync {
		w.out.finishResync()
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
