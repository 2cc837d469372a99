package report

import (
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
)

const (
	sluice            = "sluice"
	sluiceNative      = "sluice-native"
	sluiceClientGo    = "sluice-clientgo"
	sluiceShared      = "sluice-shared"
	clientGo          = "client-go"
	controllerRuntime = "controller-runtime"
)

// subjects are the implementations that are compared with the peers: what goals are for first, then Sluice's queue by its
// own calls, its store and informer behind the interfaces of client-go, and its cache with objects that share their parts.
func subjects() []string { return []string{sluice, sluiceNative, sluiceClientGo, sluiceShared} }

// peers are those that ratios are taken against, the one that goals refer to first.
func peers() []string { return []string{clientGo, controllerRuntime} }

// units in base units, as benchfmt makes them from ns/op.
const (
	secPerOp    = "sec/op"
	allocsPerOp = "allocs/op"
	bytesPerOp  = "B/op"
	cpuPerOp    = "cpu-sec/op"
	heapBytes   = "heap-B/op"
	peakBytes   = "peak-B"
)

// An area is a part of Sluice, the first word of its benchmarks' names.
type area struct {
	name    string
	rows    []*row
	results []*benchfmt.Result
}

// A row is a workload in one of its variants.
type row struct {
	workload string    // without Benchmark and area
	variant  []setting // what else its name tells, but for the implementation
	rounds   map[string]samples
	goal     goal
	first    *row // of the workload, in another variant or the same
}

type setting struct{ key, value string }

// samples are the values that one implementation reached, by unit and round.
type samples map[string][]float64

// group sorts results into areas and rows, both in the order in which they come first.
func group(results []*benchfmt.Result) []*area {
	var areas []*area
	for _, result := range results {
		id := identify(result.Name)
		a := find(&areas, func(a *area) bool { return a.name == id.area }, func() *area { return &area{name: id.area} })
		a.results = append(a.results, result)
		r := find(&a.rows, id.matches, id.newRow)
		r.first = a.rows[slices.IndexFunc(a.rows, func(other *row) bool { return other.workload == r.workload })]
		r.add(id.implementation, result.Values)
	}
	return areas
}

// find returns the element that matches, or appends a new one.
func find[T any](all *[]T, matches func(T) bool, create func() T) T {
	if i := slices.IndexFunc(*all, matches); i >= 0 {
		return (*all)[i]
	}
	created := create()
	*all = append(*all, created)
	return created
}

// An identity is what the name of a benchmark tells, such as QueueAddGetDone/impl=sluice/keys=request/metrics=off-2.
type identity struct {
	area, workload, implementation string
	variant                        []setting
}

func identify(name benchfmt.Name) (id identity) {
	base, parts := name.Parts()
	id.area, id.workload = splitArea(string(base))
	for _, part := range parts {
		key, value, ok := strings.Cut(strings.TrimPrefix(string(part), "/"), "=")
		switch {
		case !ok: // the number of processors
		case key == "impl":
			id.implementation = value
		default:
			id.variant = append(id.variant, setting{key, value})
		}
	}
	return id
}

// splitArea splits QueueAddGetDone after Queue.
func splitArea(name string) (area, workload string) {
	for i, char := range name {
		if i > 0 && unicode.IsUpper(char) {
			return name[:i], name[i:]
		}
	}
	return name, ""
}

func (id identity) matches(r *row) bool {
	return r.workload == id.workload && slices.Equal(r.variant, id.variant)
}

func (id identity) newRow() *row {
	return &row{
		workload: id.workload,
		variant:  id.variant,
		rounds:   make(map[string]samples),
		goal:     goalFor(id.area+id.workload, id.variant),
	}
}

func (r *row) add(implementation string, values []benchfmt.Value) {
	if r.rounds[implementation] == nil {
		r.rounds[implementation] = make(samples)
	}
	for _, value := range values {
		r.rounds[implementation][value.Unit] = append(r.rounds[implementation][value.Unit], value.Value)
	}
}

// setting returns the value of a key of the variant, or nothing.
func (r *row) setting(key string) string {
	for _, s := range r.variant {
		if s.key == key {
			return s.value
		}
	}
	return ""
}

// A spread is what is known of a figure that was measured in several rounds.
type spread struct{ median, low, high float64 }

func (r *row) value(implementation, unit string) (spread, bool) {
	return summarize(r.rounds[implementation][unit])
}

// ratio tells how many times better than a peer an implementation is: of the time of an operation, and all that is better
// when there is less of it, the peer's by its own; of rates its own by the peer's. Each round has its ratio.
func (r *row) ratio(implementation, peer, unit string) (spread, bool) {
	ours, theirs := r.rounds[implementation][unit], r.rounds[peer][unit]
	ratios := make([]float64, min(len(ours), len(theirs)))
	for i := range ratios {
		ratios[i] = theirs[i] / ours[i]
		if strings.HasSuffix(unit, "/s") {
			ratios[i] = 1 / ratios[i]
		}
	}
	if slices.ContainsFunc(ratios, math.IsNaN) { // 0/0, such as no allocations on either side
		return spread{}, false
	}
	return summarize(ratios)
}

// growth tells how many times the figure is what it is in the first row of the workload, in each round.
func (r *row) growth(implementation, unit string) (spread, bool) {
	now, before := r.rounds[implementation][unit], r.first.rounds[implementation][unit]
	ratios := make([]float64, min(len(now), len(before)))
	for i := range ratios {
		ratios[i] = now[i] / before[i]
	}
	return summarize(ratios)
}

func summarize(values []float64) (spread, bool) {
	if len(values) == 0 {
		return spread{}, false
	}
	sample := benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
	center := benchmath.AssumeNothing.Summary(sample, 1).Center
	return spread{center, slices.Min(values), slices.Max(values)}, true
}

// rounds returns how many rounds all benchmarks of the area have in common.
func (a *area) rounds() int {
	rounds := math.MaxInt
	for _, r := range a.rows {
		for _, s := range r.rounds {
			rounds = min(rounds, len(s[secPerOp]))
		}
	}
	return rounds
}

// further returns the units besides those that every benchmark has, sorted, and that of what is allocated where it is held
// against a peer.
func (a *area) further() []string {
	var units []string
	for _, r := range a.rows {
		for _, s := range r.rounds {
			units = slices.AppendSeq(units, maps.Keys(s))
		}
	}
	slices.Sort(units)
	return slices.DeleteFunc(slices.Compact(units), func(unit string) bool {
		return unit == secPerOp || unit == allocsPerOp || unit == bytesPerOp && !a.compares(unit)
	})
}

// compares says whether there is a goal that compares figures in the unit with those of a peer.
func (a *area) compares(unit string) bool {
	return slices.ContainsFunc(a.rows, func(r *row) bool {
		return slices.ContainsFunc(r.goal.targets, func(t target) bool { return t.unit == unit && t.times > 0 })
	})
}

// implementations returns who was measured: subjects, peers, then the others by name.
func (a *area) implementations() []string {
	var found []string
	for _, r := range a.rows {
		for implementation := range r.rounds {
			found = append(found, implementation)
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	known := slices.DeleteFunc(append(subjects(), peers()...), func(name string) bool { return !slices.Contains(found, name) })
	others := slices.DeleteFunc(found, func(name string) bool { return slices.Contains(known, name) })
	return append(known, others...)
}
