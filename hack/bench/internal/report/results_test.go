package report

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"
)

func TestNamesTellWhatWasMeasured(t *testing.T) {
	for name, want := range map[string]identity{
		"QueueAddGetDone/impl=sluice/keys=request/metrics=off-2": {
			"Queue", "AddGetDone", sluice, []setting{{"keys", "request"}, {"metrics", "off"}},
		},
		"QueueAddGetDone/keys=request/impl=client-go": {"Queue", "AddGetDone", clientGo, []setting{{"keys", "request"}}},
		"StoreGet/impl=controller-runtime-16":         {"Store", "Get", controllerRuntime, nil},
		"StoreGet-2":                                  {"Store", "Get", "", nil},
		"Pipeline":                                    {"Pipeline", "", "", nil},
	} {
		if got := identify(benchfmt.Name(name)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s tells %+v, want %+v", name, got, want)
		}
	}
}

func TestRatios(t *testing.T) {
	tests := []struct {
		name         string
		unit         string
		ours, theirs []float64
		want         spread
		absent       bool
	}{
		{name: "of times the peer's by ours", unit: secPerOp, ours: []float64{2}, theirs: []float64{6}, want: spread{3, 3, 3}},
		{name: "of rates ours by the peer's", unit: "writes/s", ours: []float64{6}, theirs: []float64{2}, want: spread{3, 3, 3}},
		{
			name: "within a round, however slow the machine is in it", unit: secPerOp,
			ours: []float64{1, 10, 100}, theirs: []float64{2, 30, 400}, want: spread{3, 2, 4},
		},
		{
			name: "as the median, not the mean", unit: secPerOp,
			ours: []float64{1, 1, 1}, theirs: []float64{2, 100, 3}, want: spread{3, 2, 100},
		},
		{
			name: "between the middle two of an even number", unit: secPerOp,
			ours: []float64{1, 1}, theirs: []float64{2, 4}, want: spread{3, 2, 4},
		},
		{
			name: "of those rounds that both were measured in", unit: secPerOp,
			ours: []float64{1}, theirs: []float64{2, 100}, want: spread{2, 2, 2},
		},
		{name: "none of a peer that was not measured", unit: secPerOp, ours: []float64{1}, absent: true},
		{name: "none of nothing by nothing", unit: allocsPerOp, ours: []float64{0}, theirs: []float64{0}, absent: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := &row{rounds: map[string]samples{sluice: {test.unit: test.ours}, clientGo: {test.unit: test.theirs}}}
			got, ok := r.ratio(sluice, clientGo, test.unit)
			if ok == test.absent || got != test.want {
				t.Errorf("got %v, %t; want %v, %t", got, ok, test.want, !test.absent)
			}
		})
	}
}

func TestVerdicts(t *testing.T) {
	tests := []struct {
		name string
		ours samples
		want string
	}{
		{"both bounds are met exactly", samples{secPerOp: {1}, allocsPerOp: {0}}, "≥ 2× ✓, 0 allocs/op ✓"},
		{"too slow", samples{secPerOp: {1.01}, allocsPerOp: {0}}, "≥ 2× ✗, 0 allocs/op ✓"},
		{"allocates", samples{secPerOp: {0.5}, allocsPerOp: {1}}, "≥ 2× ✓, 0 allocs/op ✗"},
		{"not measured", nil, "≥ 2× ✗, 0 allocs/op ✗"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := &row{
				rounds: map[string]samples{sluice: test.ours, clientGo: {secPerOp: {2}}},
				goal:   goal{targets: []target{faster(2), noAllocs()}},
			}
			if got := r.verdict(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestGrowthIsHeldAgainstTheFirstVariantOfEachRound(t *testing.T) {
	small := &row{workload: "Growth", rounds: map[string]samples{sluice: {secPerOp: {1, 10}}}}
	small.first = small
	large := &row{workload: "Growth", rounds: map[string]samples{sluice: {secPerOp: {1.1, 12}}}, first: small}
	large.goal.targets = []target{flat(secPerOp), flat("heap-B/object")}
	if got, want := large.verdict(), "grows ≤ 1.2× sec/op ✓ 1.15×, grows ≤ 1.2× heap-B/object ✗ nothing, as it was not measured"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	small.rounds[sluice][secPerOp] = []float64{1, 8}
	if large.meets(large.goal.targets[0]) {
		t.Error("a growth by the factors 1.1 and 1.5 is within 1.2")
	}
}

func TestTargetsOfOthersThanSluice(t *testing.T) {
	r := &row{rounds: map[string]samples{sluice: {heapBytes: {1}}, sluiceShared: {heapBytes: {3}}, clientGo: {heapBytes: {4}}}}
	r.goal.targets = []target{times(heapBytes, 2), times(heapBytes, 2).by(sluiceShared)}
	if got, want := r.verdict(), "≥ 2× heap-B/op ✓ 4.00×, ≥ 2× heap-B/op by sluice-shared ✗ 1.33×"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGoalsHoldForOneVariant(t *testing.T) {
	request := []setting{{"keys", "request"}, {"metrics", "off"}}
	if got := goalFor("QueueAddGetDone", request); len(got.targets) == 0 {
		t.Error("no goal for the variant that has one")
	}
	if got := goalFor("QueueAddGetDone", []setting{{"keys", "string"}, {"metrics", "off"}}); len(got.targets) != 0 {
		t.Errorf("goal %v for a variant without", got)
	}
}

func TestVariantsOfAWorkloadHaveTheirOwnGoals(t *testing.T) {
	for handlers, want := range map[string]string{"1": "≥ 3×", "8": "≥ 5×"} {
		got := goalFor("PipelineEvents", []setting{{"handlers", handlers}})
		if len(got.targets) == 0 || got.targets[0].String() != want {
			t.Errorf("the goal for %s handlers is %v, want %s first", handlers, got.targets, want)
		}
	}
}

func TestFurtherFiguresAreShownInTheirUnit(t *testing.T) {
	r := &row{rounds: map[string]samples{
		sluice:   {"peak-B": {260.6e6}, "allocs/op": {136.68}, "cpu-sec/op": {35e-6}, "worst-sec": {2e-3}, "writes/s": {412_345.6}, "calls/event": {0.456}},
		clientGo: {"worst-sec": {30e-3}},
	}}
	a := &area{rows: []*row{r}}
	if got, want := strings.Join(a.further(), ", "), "calls/event, cpu-sec/op, peak-B, worst-sec, writes/s"; got != want {
		t.Errorf("units %s, want %s", got, want)
	}
	for unit, want := range map[string]string{
		"peak-B": "261\u00a0MB –", "allocs/op": "136.7 –", "cpu-sec/op": "35\u00a0µs –",
		"worst-sec": "2000\u00a0µs 30\u00a0ms", "writes/s": "412346 –", "calls/event": "0.46 –", "lists/s": "–",
	} {
		if got := r.each([]string{sluice, clientGo}, unit); got != want {
			t.Errorf("%s of each: %q, want %q", unit, got, want)
		}
	}
}

func TestColumnsBeginWithSubjectsAndPeers(t *testing.T) {
	a := &area{rows: []*row{{rounds: map[string]samples{
		"floor": nil, controllerRuntime: nil, clientGo: nil, sluiceNative: nil, sluice: nil,
	}}}}
	want := []string{sluice, sluiceNative, clientGo, controllerRuntime, "floor"}
	if got := a.implementations(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	var pairs []string
	for _, p := range a.pairs() {
		pairs = append(pairs, p.String())
	}
	wantPairs := "sluice : client-go, sluice : controller-runtime, sluice-native : client-go, sluice-native : controller-runtime"
	if got := strings.Join(pairs, ", "); got != wantPairs {
		t.Errorf("got %s, want %s", got, wantPairs)
	}
}

func TestTimesKeepThreeDigitsOrMore(t *testing.T) {
	for seconds, want := range map[float64]string{
		1.25e-9:  "1.2 ns",
		99.94e-9: "99.9 ns",
		190e-9:   "190 ns",
		7600e-9:  "7600 ns",
		2.2e-3:   "2200 µs",
		205e-3:   "205 ms",
	} {
		if got := formatSeconds(seconds); got != want {
			t.Errorf("%g s is %s, want %s", seconds, got, want)
		}
	}
}
