package integration_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// A content says which objects there are, in which version.
type content map[types.NamespacedName]cache.Identity

// A replay is a subscriber that knows nothing but what it is told.
type replay[T cache.Object] struct {
	mu     sync.Mutex
	known  map[types.NamespacedName]T
	told   map[cache.EventType]int
	epochs int // events by which the cache follows a new epoch
	unsure int // deletions that were not seen
	wrong  []string
}

func newReplay[T cache.Object]() *replay[T] {
	return &replay[T]{known: make(map[types.NamespacedName]T), told: make(map[cache.EventType]int)}
}

func (r *replay[T]) handle(_ context.Context, event cache.Event[T]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told[event.Type]++
	if event.NewEpoch {
		r.epochs++
	}
	if event.FinalStateUnknown {
		r.unsure++
	}
	if why := r.contradiction(event); why != "" {
		r.wrong = append(r.wrong, fmt.Sprintf("%s %s: %s", event.Type, event.Key, why))
	}
	if event.Type == cache.Deleted {
		delete(r.known, event.Key)
		return
	}
	r.known[event.Key] = event.Object
}

// contradiction says what in the event does not follow from those before.
func (r *replay[T]) contradiction(event cache.Event[T]) string {
	known, ok := r.known[event.Key]
	switch {
	case event.Type == cache.Added && ok:
		return "it was there"
	case event.Type != cache.Added && !ok:
		return "it was not there"
	case event.Type != cache.Added && event.Object.GetUID() != known.GetUID():
		return "it was another one"
	case event.Type == cache.Updated && event.Old != known:
		return "its old state was another one"
	case event.Type == cache.Updated && !event.NewEpoch && version(event.Object) <= version(known):
		return fmt.Sprintf("version %d follows %d", version(event.Object), version(known))
	}
	return ""
}

// content returns what follows from the events, and what was wrong with them.
func (r *replay[T]) content() (content, []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := make(content)
	for key, obj := range r.known {
		c[key] = cache.IdentityOf(obj)
	}
	return c, r.wrong
}

func (r *replay[T]) count(t cache.EventType) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told[t]
}

func (r *replay[T]) ofNewEpoch() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.epochs
}

func (r *replay[T]) unseen() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.unsure
}

func version[T cache.Object](obj T) int {
	n, _ := strconv.Atoi(obj.GetResourceVersion())
	return n
}
