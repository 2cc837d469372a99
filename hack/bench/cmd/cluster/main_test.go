package main

import (
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-k8s/sluice/hack/bench/internal/contest"
	"github.com/sluice-k8s/sluice/hack/bench/internal/report"
)

func TestFlagsChooseTasks(t *testing.T) {
	o, err := parseFlags([]string{"-bench", "Growth/impl=sluice", "-growth", "10,20", "-rounds", "2"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	tasks := o.tasks()
	if len(tasks) != 2 || tasks[0].Objects != 10 || tasks[1].Objects != 20 || o.rounds != 2 {
		t.Errorf("%d rounds of %+v", o.rounds, tasks)
	}
}

func TestFlagsThatAreWrong(t *testing.T) {
	for _, text := range []string{"-bench (", "-rounds 0", "-objects 0", "-writes 0", "-growth 10,x", "-growth 0", "argument"} {
		if _, err := parseFlags(strings.Fields(text), io.Discard); err == nil {
			t.Errorf("%q is no error", text)
		}
	}
}

func TestLatenciesAreMeasuredTogether(t *testing.T) {
	for text, want := range map[string][]int{
		"Latency":                     {3},
		"Latency|Throughput":          {3, 1, 1, 1, 1, 1, 1},
		"SyncCronTabs|Latency.*-go":   {1, 1, 1, 1, 1, 1},
		"impl=sluice/objects|Latency": {3, 1, 1, 1},
	} {
		o, err := parseFlags([]string{"-bench", text}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, group := range together(o.tasks()) {
			got = append(got, len(group))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q is done in groups of %v, want %v", text, got, want)
		}
	}
}

func TestNothingToMeasureIsAnError(t *testing.T) {
	o, err := parseFlags([]string{"-bench", "Absent"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), o, io.Discard, io.Discard); err == nil {
		t.Error("no error")
	}
}

func TestTasksComeThroughTheCommandLine(t *testing.T) {
	want := contest.Task{Workload: contest.ControllerLatency, Implementation: contest.Sluice, Objects: 3, Writes: 7, Run: "r"}
	text, err := want.Text()
	if err != nil {
		t.Fatal(err)
	}
	got, err := contest.ParseTask(text)
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if _, err := contest.ParseTask("SyncPods"); err == nil {
		t.Error("a task that is no JSON is no error")
	}
}

// What a process prints is what reports are made of.
func TestResultsCanBeRead(t *testing.T) {
	figures := []contest.Figure{{Value: 41_234.5, Unit: "ns/op"}, {Value: 1.5e8, Unit: "peak-B"}, {Value: 0, Unit: "allocs/op"}}
	for processors, want := range map[int]string{
		1: "SyncPods/impl=sluice/managedFields=kept",
		2: "SyncPods/impl=sluice/managedFields=kept-2",
	} {
		line := resultLine("SyncPods/impl=sluice/managedFields=kept", processors, 20_000, figures)
		results, err := report.Parse(strings.NewReader(line+"\n"), "line")
		if err != nil || len(results) != 1 {
			t.Fatalf("%q: %d results, %v", line, len(results), err)
		}
		got := results[0]
		if string(got.Name) != want || got.Iters != 20_000 || len(got.Values) != len(figures) {
			t.Errorf("%q is read as %+v", line, got)
		}
		if seconds, ok := got.Value("sec/op"); !ok || seconds < 41.2e-6 || seconds > 41.3e-6 {
			t.Errorf("%q has %g sec/op", line, seconds)
		}
	}
}

func TestTheEnvironmentNamesVersions(t *testing.T) {
	line := resultLine("SyncPods/impl=sluice", 2, 1, []contest.Figure{{Value: 1, Unit: "ns/op"}})
	results, err := report.Parse(strings.NewReader(environment("v1.36.3")+line+"\n"), "text")
	if err != nil || len(results) != 1 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for _, key := range []string{"goos", "goarch", "go", "kubernetes"} {
		if results[0].GetConfig(key) == "" {
			t.Errorf("no %s in %+v", key, results[0].Config)
		}
	}
	modules := []*debug.Module{{Path: "k8s.io/api", Version: "v1"}, {Path: "k8s.io/client-go", Version: "v2"}}
	if got := version(modules, "k8s.io/client-go"); got != "v2" {
		t.Errorf("the version of client-go is %q, want v2", got)
	}
	if got := processor("processor\t: 0\nmodel name\t: Abacus 3\n"); got != "Abacus 3" {
		t.Errorf("the processor is %q", got)
	}
}
