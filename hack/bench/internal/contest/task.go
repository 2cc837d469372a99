package contest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"k8s.io/client-go/rest"
)

// The implementations, by the names that results have.
const (
	Sluice            = "sluice"
	SluiceShared      = "sluice-shared"
	ClientGo          = "client-go"
	ControllerRuntime = "controller-runtime"
	FloorRead         = "floor-read"
	FloorDecode       = "floor-decode"
)

// The workloads.
const (
	SyncPods             = "SyncPods"
	SyncCronTabs         = "SyncCronTabs"
	ControllerLatency    = "ControllerLatency"
	ControllerThroughput = "ControllerThroughput"
	ControllerGrowth     = "ControllerGrowth"
)

// A Task is what one process measures.
type Task struct {
	Workload       string
	Implementation string
	Objects        int // that there are

	Managed    string // of a sync: Kept or Dropped
	Workers    int    // of a throughput
	Reconciles int    // of a throughput and a growth, about; all objects are reconciled at least once
	Writes     int    // of a latency: that somebody makes when it is ready
	Run        string // of a latency: whose writes they are
}

// What becomes of managed fields.
const (
	Kept    = "kept"
	Dropped = "dropped"
)

// A Figure is a value in a unit of Go's benchmarks.
type Figure struct {
	Value float64
	Unit  string
}

// Do does the task on the cluster of the config. It writes a line to ready when the cluster may be written to. It returns how
// many operations there were, and the figures, per operation where they have "/op".
func (t Task) Do(ctx context.Context, config *rest.Config, ready io.Writer) (operations int, figures []Figure, err error) {
	switch t.Workload {
	case SyncPods:
		return t.sync(ctx, config, podCaches())
	case SyncCronTabs:
		return t.sync(ctx, config, cronTabCaches())
	case ControllerLatency:
		return t.latency(ctx, config, ready)
	case ControllerThroughput:
		return t.throughput(ctx, config)
	case ControllerGrowth:
		return t.growth(ctx)
	default:
		return 0, nil, fmt.Errorf("workload %q is not known", t.Workload)
	}
}

// Text returns the task as ParseTask reads it.
func (t Task) Text() (string, error) {
	text, err := json.Marshal(t)
	return string(text), err
}

// ParseTask reads a task that another process was given.
func ParseTask(text string) (t Task, err error) {
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return t, fmt.Errorf("task %q: %w", text, err)
	}
	return t, nil
}

// Name returns the name of the task as a benchmark.
func (t Task) Name() string {
	name := t.Workload + "/impl=" + t.Implementation
	switch t.Workload {
	case SyncPods, SyncCronTabs:
		name += "/managedFields=" + t.Managed
	case ControllerThroughput:
		name += fmt.Sprintf("/workers=%d", t.Workers)
	case ControllerGrowth:
		name += fmt.Sprintf("/objects=%d", t.Objects)
	}
	return name
}

// A Size says how much there is to do.
type Size struct {
	Objects int   // of a kind on the cluster
	Growth  []int // numbers of objects without a cluster
	Writes  int   // of a latency
}

// reconciles is how many are measured together.
const reconciles = 1_000_000

// Tasks returns one of each kind, in the order in which their results are shown.
func Tasks(size Size) []Task {
	var all []Task
	for _, workload := range []string{SyncPods, SyncCronTabs} {
		sync := Task{Workload: workload, Objects: size.Objects, Managed: Kept}
		all = append(all, sync.by(Sluice, ClientGo)...)
		if workload == SyncPods {
			all = append(all, sync.by(FloorRead, FloorDecode)...)
		}
		sync.Managed = Dropped
		all = append(all, sync.by(Sluice, SluiceShared, ClientGo)...)
	}
	latency := Task{Workload: ControllerLatency, Objects: ConfigMaps, Writes: size.Writes}
	all = append(all, latency.by(Sluice, ClientGo, ControllerRuntime)...)
	for _, workers := range []int{1, 8} {
		throughput := Task{Workload: ControllerThroughput, Objects: size.Objects, Workers: workers, Reconciles: reconciles}
		all = append(all, throughput.by(Sluice, ClientGo)...)
		throughput.Reconciles /= 10 // each takes much longer
		all = append(all, throughput.by(ControllerRuntime)...)
	}
	for _, objects := range size.Growth {
		growth := Task{Workload: ControllerGrowth, Objects: objects, Reconciles: reconciles}
		all = append(all, growth.by(Sluice, ClientGo)...)
	}
	return all
}

// by returns the task for each of the implementations.
func (t Task) by(implementations ...string) []Task {
	tasks := slices.Repeat([]Task{t}, len(implementations))
	for i := range tasks {
		tasks[i].Implementation = implementations[i]
	}
	return tasks
}
