// Package usage tells what a process takes of the machine, as the operating system and Go's runtime say it.
package usage

import (
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// A Usage is what a process has taken so far, or between two points in time.
type Usage struct {
	Wall   time.Duration
	CPU    time.Duration // user and system, of all threads
	Bytes  int64         // allocated on the heap, also what was freed
	Allocs int64
}

// A Meter measures from its start.
type Meter struct {
	began time.Time
	taken Usage
}

// Start starts a meter.
func Start() (Meter, error) {
	taken, err := soFar()
	return Meter{began: time.Now(), taken: taken}, err
}

// Read returns what was taken since the start.
func (m Meter) Read() (Usage, error) {
	wall := time.Since(m.began)
	now, err := soFar()
	return Usage{
		Wall:   wall,
		CPU:    now.CPU - m.taken.CPU,
		Bytes:  now.Bytes - m.taken.Bytes,
		Allocs: now.Allocs - m.taken.Allocs,
	}, err
}

// soFar has no wall time.
func soFar() (Usage, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return Usage{}, fmt.Errorf("ask for the CPU time: %w", err)
	}
	var heap runtime.MemStats
	runtime.ReadMemStats(&heap)
	return Usage{
		CPU:    time.Duration(usage.Utime.Nano() + usage.Stime.Nano()),
		Bytes:  int64(heap.TotalAlloc),
		Allocs: int64(heap.Mallocs),
	}, nil
}

// LiveHeap returns the bytes that are reachable. It collects twice: what a sync.Pool holds survives the first time.
func LiveHeap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
