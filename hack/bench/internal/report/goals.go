package report

import (
	"fmt"
	"slices"
	"strconv"
)

// A goal says what a workload measures and what Sluice is to reach there.
type goal struct {
	benchmark string    // without "Benchmark"
	variant   []setting // the one that is held against the targets; others are shown without a verdict
	about     string
	targets   []target
}

// A target is a bound on a figure that is reported in a unit. One of times and grows is not 0, or the bound is absolute.
type target struct {
	unit    string
	times   float64 // how many times better than client-go it has to be at least
	grows   float64 // how many times it may be what it is in the first variant of the workload
	atMost  float64
	subject string // who is to reach it
}

// goals is the only place where they stand. Some workloads have none.
func goals() []goal {
	return []goal{
		queue("AddGetDone", "one key is added, taken and done, then the next", faster(2), noAllocs()),
		queue("DeepBacklog", "100 000 keys are queued; one is taken, done and added again", faster(2), noAllocs()),
		queue("ManyKeys", "the same as AddGetDone with 100 000 keys, which no queue remembers all"),
		queue("DuplicateAdd", "a key is added that is queued already; 1000 take turns", faster(1.5)),
		queue("Contended", "one run of a key: 2 producers add bursts of 10 000 keys for 64 workers", faster(1.5)),
		queue("RetryCycle", "a key is added rate-limited, taken, done and forgotten", faster(3)),
		queue("AddAfter", "a delay is set for one of 100 000 keys that wait about an hour; one in ten brings its key forward", faster(4)),
		queue("AddAfterEarlier", "the same, and each brings its key forward"),

		store("Get", "an object is read by its key", faster(2), noAllocs()).of("keys", "foreign").of("order", "stored"),
		store("GetUnderWrites", "the same in parallel while one writer updates", faster(4), times("writes/s", 1)),
		store("List", "all objects are visited", faster(4), atMost(bytesPerOp, 100_000-1)). // less than a byte per object
													of("by", "chunk"),
		store("ByIndex", "the 100 pods of a node are visited", faster(8)).of("order", "hot"),
		store("ByNamespace", "the 1000 pods of a namespace are visited").of("order", "hot"),
		store("Update", "an object is replaced by its next version", faster(1)).of("order", "stored"),
		store("Replace", "the content is replaced with 100 000 objects, in new versions or, as after a relist, the same",
			faster(2)).of("content", "changed"),
		store("WriteStall", "an object is updated while a reader lists everything in a loop, or looks at all names, or alone",
			faster(100), times("worst-sec", 10)).of("reader", "listing"),
		store("GrowthGet", "a latest object is read by its key in stores of several sizes").of("objects", "100000"),
		store("GrowthUpdate", "the same, and it is updated").of("objects", "100000"),
		store("GrowthFill", "a new store is filled; heap-B/object is what it takes besides the objects").of("objects", "100000"),

		pipeline("Events", "a decoded event comes to all handlers; those of a pod may be merged", faster(3), atMost(allocsPerOp, 3)).
			of("handlers", "1"),
		pipeline("Events", "a decoded event comes to all handlers; those of a pod may be merged", faster(5)).of("handlers", "8"),
		pipeline("Distinct", "the same, but there is nothing to merge").of("handlers", "1"),
		pipeline("Growth", "the same with caches of several sizes").of("objects", "100000"),

		sync("Pods", podSync, append(syncTargets(), times(heapBytes, 2))...).of("managedFields", "kept"),
		sync("Pods", podSync, append(syncTargets(), times(heapBytes, 2).by(sluiceShared))...).of("managedFields", "dropped"),
		sync("CronTabs", cronTabSync, append(syncTargets(), times(heapBytes, 2))...).of("managedFields", "kept"),
		sync("CronTabs", cronTabSync, append(syncTargets(), times(heapBytes, 2).by(sluiceShared))...).of("managedFields", "dropped"),

		controller("Latency", "an object is written, and its reconcile starts; 100 writes a second, which all see at the same time; the median, beside the 99th percentile",
			faster(1), times("p99-sec", 1)),
		controller("Throughput", throughput, faster(3), times(cpuPerOp, 3)).of("workers", "1"),
		controller("Throughput", throughput, faster(3), times(cpuPerOp, 3)).of("workers", "8"),
		controller("Growth", growth).of("objects", "10000"),
		controller("Growth", growth, flat(secPerOp), flat("heap-B/object")).of("objects", "100000"),
		controller("Growth", growth, flat(secPerOp), flat("heap-B/object")).of("objects", "1000000"),
	}
}

const (
	podSync = "20 000 pods of 4.5 kB as JSON are read, as protobuf, into a cache with one index and one handler, until that has had all; " +
		"per object, but for the peak of resident memory; sluice-shared makes equal parts of pods one"
	cronTabSync = "the same with 20 000 custom resources of 1.9 kB, as JSON"
	throughput  = "all of 20 000 pods are enqueued, by one call where there is one, again when all were reconciled, by a reconcile that reads the pod from the cache"
	growth      = "the same without an API server, with pods that are almost empty; the heap is with the pods"
)

// syncTargets are those of every sync.
func syncTargets() []target {
	return []target{faster(1.3), times(cpuPerOp, 1.6), times(bytesPerOp, 2), times(peakBytes, 2)}
}

func queue(name, about string, targets ...target) goal {
	return goal{"Queue" + name, []setting{{"keys", "request"}, {"metrics", "off"}}, about, targets}
}

func store(name, about string, targets ...target) goal {
	return goal{"Store" + name, nil, about, targets}
}

func pipeline(name, about string, targets ...target) goal {
	return goal{"Pipeline" + name, nil, about, targets}
}

func sync(name, about string, targets ...target) goal {
	return goal{"Sync" + name, nil, about, targets}
}

func controller(name, about string, targets ...target) goal {
	return goal{"Controller" + name, nil, about, targets}
}

// of makes it the goal of a variant.
func (g goal) of(key, value string) goal {
	g.variant = append(slices.Clone(g.variant), setting{key, value})
	return g
}

func faster(n float64) target             { return times(secPerOp, n) }
func times(unit string, n float64) target { return target{unit: unit, times: n, subject: sluice} }
func flat(unit string) target             { return target{unit: unit, grows: 1.2, subject: sluice} }
func atMost(unit string, bound float64) target {
	return target{unit: unit, atMost: bound, subject: sluice}
}
func noAllocs() target { return atMost(allocsPerOp, 0) }

// by makes it the target of another implementation.
func (t target) by(subject string) target {
	t.subject = subject
	return t
}

// goalFor returns a goal without targets when there is none.
func goalFor(benchmark string, variant []setting) goal {
	for _, g := range goals() {
		if g.benchmark == benchmark && slices.Equal(g.variant, variant) {
			return g
		}
	}
	return goal{}
}

func (t target) String() string {
	text := t.bound()
	if t.subject != sluice {
		text += " by " + t.subject
	}
	return text
}

func (t target) bound() string {
	switch {
	case t.times > 0 && t.unit == secPerOp:
		return fmt.Sprintf("≥ %s×", trim(t.times))
	case t.times > 0:
		return fmt.Sprintf("≥ %s× %s", trim(t.times), t.unit)
	case t.grows > 0:
		return fmt.Sprintf("grows ≤ %s× %s", trim(t.grows), t.unit)
	case t.atMost == 0:
		return "0 " + t.unit
	default:
		return fmt.Sprintf("≤ %s %s", trim(t.atMost), t.unit)
	}
}

func trim(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// meets tells whether the target is reached. What was not measured is not reached.
func (r *row) meets(t target) bool {
	reached, ok := r.measured(t)
	switch {
	case !ok:
		return false
	case t.times > 0:
		return reached.median >= t.times
	case t.grows > 0:
		return reached.median <= t.grows
	default:
		return reached.median <= t.atMost
	}
}

// measured returns what the target is a bound of.
func (r *row) measured(t target) (spread, bool) {
	switch {
	case t.times > 0:
		return r.ratio(t.subject, clientGo, t.unit)
	case t.grows > 0:
		return r.growth(t.subject, t.unit)
	default:
		return r.value(t.subject, t.unit)
	}
}

// reached tells how far it comes, in the terms of the target.
func (r *row) reached(t target) string {
	reached, ok := r.measured(t)
	switch {
	case !ok:
		return "nothing, as it was not measured"
	case t.times > 0 || t.grows > 0:
		return formatRatio(reached.median) + "×"
	default:
		return trim(reached.median)
	}
}

// score counts the targets that are met, and all.
func score(areas []*area) (met, all int) {
	for _, a := range areas {
		for _, r := range a.rows {
			for _, t := range r.goal.targets {
				all++
				if r.meets(t) {
					met++
				}
			}
		}
	}
	return met, all
}
