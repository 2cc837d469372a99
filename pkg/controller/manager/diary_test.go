package manager_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/klog/v2/textlogger"

	"github.com/sluice-k8s/sluice/pkg/controller/lease"
	"github.com/sluice-k8s/sluice/pkg/controller/manager"
)

// A diary says what has happened, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) write(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

// inOrder fails the test unless these lines are in the diary, one after the other, whatever is in between.
func (d *diary) inOrder(t *testing.T, lines ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	rest := d.lines
	for _, line := range lines {
		n := slices.Index(rest, line)
		if n < 0 {
			t.Errorf("no %q in its place in the diary %q, want %q", line, d.lines, lines)
			return
		}
		rest = rest[n+1:]
	}
}

func (d *diary) count(line string) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.lines {
		if l == line {
			n++
		}
	}
	return n
}

func (d *diary) lacks(t *testing.T, lines ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, line := range lines {
		if slices.Contains(d.lines, line) {
			t.Errorf("there is %q in the diary %q", line, d.lines)
		}
	}
}

// A part is a Runner that keeps a diary.
type part struct {
	name  string
	diary *diary
	takes time.Duration   // to stop
	after time.Duration   // then it ends by itself, if more than 0
	fails error           // with this
	panic any             // or this
	ready func() error    // nil for always
	hangs <-chan struct{} // if not nil it does not stop before
	cause chan<- error    // gets what its context ended for
}

func (p part) Name() string { return p.name }

func (p part) Run(ctx context.Context) error {
	p.diary.write(p.name + " starts")
	defer p.diary.write(p.name + " ended")
	if p.after > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(p.after):
			if p.panic != nil {
				panic(p.panic)
			}
			return p.fails
		}
	}
	<-ctx.Done()
	p.diary.write(p.name + " stops")
	if p.cause != nil {
		p.cause <- context.Cause(ctx)
	}
	time.Sleep(p.takes)
	if p.hangs != nil {
		<-p.hangs
	}
	return nil
}

func (p part) Ready() error {
	if p.ready == nil {
		return nil
	}
	return p.ready()
}

// A syncing part has to sync.
type syncing struct {
	part

	synced chan struct{}
	never  error // nil if it may
}

func (s syncing) WaitForSync(ctx context.Context) error {
	if s.never != nil {
		return s.never
	}
	select {
	case <-s.synced:
		s.diary.write(s.name + " synced")
		return nil
	case <-ctx.Done():
		return errors.New("no list yet")
	}
}

// A program is a manager that runs in virtual time until it is stopped.
type program struct {
	t *testing.T
	*manager.Manager

	stop  context.CancelCauseFunc
	ended chan error
	log   *logs
}

// logs is where a test finds what was logged.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) has(words string) bool { return l.count(words) > 0 }

func (l *logs) count(words string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), words)
}

func start(t *testing.T, config manager.Config) *program {
	t.Helper()
	p := &program{t: t, ended: make(chan error, 1), log: &logs{}}
	config.Name, config.Logger = "test", textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(p.log)))
	m, err := manager.New(config)
	if err != nil {
		t.Fatal(err)
	}
	p.Manager = m
	ctx, stop := context.WithCancelCause(t.Context())
	p.stop = stop
	go func() { p.ended <- m.Run(ctx) }()
	synctest.Wait()
	return p
}

var errTerminated = errors.New("terminated signal received")

func (p *program) ends() error {
	p.stop(errTerminated)
	return <-p.ended
}

// electors returns two that contend for one lease.
func electors(t *testing.T, d *diary) (one, two *lease.Elector) {
	t.Helper()
	clients := fake.NewClientset()
	return elector(t, clients, d, "one"), elector(t, clients, d, "two")
}
