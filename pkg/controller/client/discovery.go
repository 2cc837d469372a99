package client

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
)

// discoveryPause is how long a list of the server's kinds is believed that does not have the one that is asked for.
const discoveryPause = 5 * time.Second

// cached is discovery as client-go's own cache has it.
type cached interface {
	discovery.CachedDiscoveryInterface
	discovery.CachedDiscoveryInterfaceWithContext
}

// A catalog remembers what the server has. client-go's own cache is fresh for ever as soon as it is filled, so a mapper
// would never look for a kind that came later; this one is fresh for a while only.
type catalog struct {
	cached

	mu          sync.Mutex
	invalidated time.Time // guarded by mu
}

func newCatalog(client discovery.DiscoveryInterface) (*catalog, error) {
	cache, ok := memory.NewMemCacheClient(client).(cached)
	if !ok {
		return nil, fmt.Errorf("client: the discovery cache of client-go is a %T, which takes no context", cache)
	}
	return &catalog{cached: cache}, nil
}

// Fresh says whether it is no use to ask again for what was not found.
func (c *catalog) Fresh() bool { return c.FreshWithContext(context.Background()) }

// FreshWithContext is Fresh.
func (c *catalog) FreshWithContext(context.Context) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.invalidated.IsZero() && time.Since(c.invalidated) < discoveryPause
}

// Invalidate forgets everything.
func (c *catalog) Invalidate() { c.InvalidateWithContext(context.Background()) }

// InvalidateWithContext is Invalidate.
func (c *catalog) InvalidateWithContext(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.invalidated = time.Now()
	c.cached.InvalidateWithContext(ctx)
}
