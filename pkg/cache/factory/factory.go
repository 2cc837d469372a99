package factory

import (
	"context"
	"errors"
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// Config configures a [Factory]. The zero value works.
type Config struct {
	// Informer is what the configurations of all informers begin with. Its Name is not used: an informer is named after its
	// [Identity].
	Informer cache.Config

	// Customize, if not nil, may change the configuration of each informer before it is made: for a hook that has to know
	// whose it is, or a page size of one resource. It must not call the factory.
	Customize func(id Identity, config *cache.Config)

	// Transform, if not nil, changes each object in place before the transforms of its informer do, and before it is cached,
	// for instance to drop managed fields. See [cache.Transform] for what an error means.
	Transform func(obj metav1.Object) error
}

// A Factory makes informers, shares them among all who ask for the same, and runs them. Its methods may be called
// concurrently. Create one with [New].
type Factory struct {
	config Config

	mu       sync.Mutex
	state    state
	ctx      context.Context // of Run, while running
	clusters map[string]*Cluster
	entries  map[Identity]*entry // those that somebody holds
	failures []error             // of informers' Run
	running  sync.WaitGroup      // one for each informer that runs
}

type state int

const (
	created state = iota
	running
	ended
)

// New returns a Factory without informers.
func New(config Config) *Factory {
	return &Factory{config: config, clusters: make(map[string]*Cluster), entries: make(map[Identity]*entry)}
}

// Cluster returns what stands for the API server of that name, the same each time. Informers of different clusters have
// nothing in common. A program with one cluster may leave the name empty.
func (f *Factory) Cluster(name string) *Cluster {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.clusters[name]
	if c == nil {
		c = &Cluster{factory: f, name: name}
		f.clusters[name] = c
	}
	return c
}

// Run runs the informers that were asked for, and those that will be, until the context is done; then it stops them all and
// returns when nothing of them runs any more. It returns nil, or the errors of informers that somebody else has run. A
// second call returns [cache.ErrStarted].
func (f *Factory) Run(ctx context.Context) error {
	if err := f.start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	f.end()
	f.running.Wait()
	return f.forget()
}

func (f *Factory) start(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state != created {
		return fmt.Errorf("factory: %w", cache.ErrStarted)
	}
	f.state, f.ctx = running, ctx
	for _, e := range f.entries {
		f.startLocked(ctx, e)
	}
	return nil
}

// end lets nothing start any more.
func (f *Factory) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = ended
}

// forget lets go of the informers, which have ended.
func (f *Factory) forget() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.entries {
		e.detach()
	}
	clear(f.entries)
	return errors.Join(f.failures...)
}

// usableLocked returns why nothing can be asked for, nil if something can.
func (f *Factory) usableLocked() error {
	if f.state == ended || f.state == running && f.ctx.Err() != nil {
		return fmt.Errorf("factory: %w", cache.ErrStopped)
	}
	return nil
}

// addLocked takes up an informer that nobody holds yet, and runs it if the factory runs.
func (f *Factory) addLocked(e *entry) {
	f.entries[e.id] = e
	if f.state == running {
		f.startLocked(f.ctx, e)
	}
}

func (f *Factory) startLocked(ctx context.Context, e *entry) {
	ctx, e.cancel = context.WithCancel(ctx)
	f.running.Go(func() {
		defer close(e.done)
		if err := e.informer.Run(ctx); err != nil {
			f.fail(err)
		}
	})
}

func (f *Factory) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = append(f.failures, err)
}

// removeLocked stops an informer, unless that was done before. Wait for its done.
func (f *Factory) removeLocked(e *entry) {
	if e.removed.Swap(true) || f.state == ended {
		return
	}
	delete(f.entries, e.id)
	e.detach()
	if e.cancel == nil {
		f.startLocked(over(), e) // those who wait for it are to hear that it has ended
	}
	e.cancel()
}

// over returns a context that is done.
func over() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
