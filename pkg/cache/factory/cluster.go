package factory

import (
	"context"
	"fmt"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// A Cluster is an API server whose objects a [Factory] caches. All its informers share what they learn of the server. Get
// one by [Factory.Cluster]; its methods may be called concurrently.
type Cluster struct {
	factory *Factory
	name    string
	server  cache.Server
	stopped bool // guarded by factory.mu
}

// Name returns the cluster's name.
func (c *Cluster) Name() string { return c.name }

// Stop stops the cluster's informers, whoever holds them, and returns when nothing of them runs any more. Nothing can be
// acquired any more, the leases that are left do nothing, and [Factory.Cluster] returns another under the name, which has
// learned nothing of its server yet. It is for a cluster that is taken out of a fleet.
func (c *Cluster) Stop() {
	for _, e := range c.remove() {
		<-e.done
	}
}

func (c *Cluster) remove() []*entry {
	f := c.factory
	f.mu.Lock()
	defer f.mu.Unlock()
	c.stopped = true
	if f.clusters[c.name] == c {
		delete(f.clusters, c.name)
	}
	entries := f.sortedLocked(c)
	for _, e := range entries {
		f.removeLocked(e)
	}
	return entries
}

func (c *Cluster) isStopped() bool {
	c.factory.mu.Lock()
	defer c.factory.mu.Unlock()
	return c.stopped
}

func (c *Cluster) usableLocked() error {
	if err := c.factory.usableLocked(); err != nil {
		return err
	}
	if c.stopped {
		return fmt.Errorf("factory: cluster %q: %w", c.name, cache.ErrStopped)
	}
	return nil
}

// WaitForSync is [Factory.WaitForSync] for this cluster.
func (c *Cluster) WaitForSync(ctx context.Context) error { return c.factory.waitForSync(ctx, c) }

// Ready is [Factory.Ready] for this cluster, so that one that can't be reached does not make a program unready that serves
// others.
func (c *Cluster) Ready() error { return c.factory.ready(c) }

// Statuses is [Factory.Statuses] for this cluster.
func (c *Cluster) Statuses() []Status { return c.factory.statuses(c) }
