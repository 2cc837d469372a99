package cache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/pkg/internal/pause"
)

// An audit compares what is cached with what the server has, now and then, and has everything read again when they differ:
// a server may lose an event of a watch (etcd issues 17529, 18089 and 19179 were such), and nothing else would ever tell.
//
// It lists identities at the most recent version, R1, waits until the cache has reached that, and looks for what differs
// there. What has changed since R1 differs, too. So it lists once more, at R2: an object that is the same in both lists
// did not change in between, where the cache is, so that the cache must have it, in this version; nor must it have one that
// existed until R1 at most and is in neither list. There are no false alarms. An object in quarantine is left out.
//
// One that the cache has in a version which the server's is not beyond is of another epoch: nobody saw the versions go back,
// since they were past where they had been when somebody asked again.
//
// While it runs it holds the identities of all objects in memory.
type audit[T Object] struct {
	scope  *scope[T]
	list   func(ctx context.Context, opts metav1.ListOptions, each func(Identity)) (PageMeta, error)
	config Config
}

// inventory is what there was at a version.
type inventory map[types.NamespacedName]Identity

var errWentBackMeanwhile = errors.New("the server's versions went back meanwhile")

func newAudit[T Object](s *scope[T]) *audit[T] {
	a := &audit[T]{scope: s, config: s.informer.config, list: s.reflector.identities}
	if lister, ok := s.reflector.source.(IdentityLister); ok {
		a.list = lister.ListIdentities
	}
	return a
}

// identities is for sources that are no [IdentityLister].
func (r *Reflector[T]) identities(ctx context.Context, opts metav1.ListOptions, each func(Identity)) (PageMeta, error) {
	request := Request[T]{ListOptions: opts}
	if r.known != nil {
		request.Known = r.inCache
	}
	return r.source.StreamList(ctx, request, func(item Item[T]) {
		if item.Err != nil {
			each(item.Err.Identity)
			return
		}
		each(IdentityOf(item.Object))
	})
}

// run audits until the context is done.
func (a *audit[T]) run(ctx context.Context) {
	for a.wait(ctx) {
		d, err := a.once(ctx)
		if ctx.Err() != nil {
			return
		}
		a.report(ctx, d, err)
	}
}

// wait waits for the interval, give or take a tenth, lest all clients of a server audit at once.
func (a *audit[T]) wait(ctx context.Context) bool {
	interval := a.config.AuditInterval
	return pause.For(ctx, a.config.Clock, interval-interval/10+rand.N(interval/5+1))
}

func (a *audit[T]) report(ctx context.Context, d divergence, err error) {
	logger := klog.FromContext(ctx)
	a.scope.reflector.status.audited(len(d.keys), err)
	if err != nil {
		logger.V(2).Info("Audit given up", "err", err)
		return
	}
	for _, key := range d.keys {
		logger.Error(nil, "The cache differs from the server", "key", key)
	}
	switch {
	case d.newEpoch:
		a.scope.reflector.interrupt(ErrNewEpoch)
	case len(d.keys) > 0:
		a.scope.reflector.Relist()
	}
}

// once returns what the cache is wrong about.
func (a *audit[T]) once(ctx context.Context) (divergence, error) {
	first, excused := inventory{}, a.scope.informer.quarantine.unusable()
	before, err := a.read(ctx, first.add)
	if err != nil {
		return divergence{}, err
	}
	cached, err := a.cachedAt(ctx, before)
	if err != nil {
		return divergence{}, err
	}
	maps.Copy(cached.quarantined, excused) // one that a list let out may not be in the cache yet
	candidates := a.candidates(first, cached, before)
	if len(candidates) == 0 {
		return divergence{}, nil
	}
	second := inventory{}
	after, err := a.read(ctx, func(id Identity) {
		if _, ok := candidates[id.Key]; ok {
			second.add(id)
		}
	})
	switch {
	case err != nil:
		return divergence{}, err
	case older(after, before) || older(after, cached.version):
		return divergence{}, errWentBackMeanwhile
	}
	return confirmed(candidates, second, cached.content.Get), nil
}

func (i inventory) add(id Identity) {
	if id.Key.Name != "" {
		i[id.Key] = id
	}
}

// read lists all pages and returns their version.
func (a *audit[T]) read(ctx context.Context, each func(Identity)) (version string, err error) {
	opts := metav1.ListOptions{Limit: max(0, a.config.PageSize)}
	a.config.ListOptions(&opts)
	d := newDeadline(ctx, a.config.Clock)
	defer d.stop()
	d.within(a.config.Silence, nil)
	for {
		page, err := a.list(d.ctx, opts, func(id Identity) {
			d.touch()
			each(id)
		})
		switch {
		case err != nil:
			return "", fmt.Errorf("audit: %w", err)
		case page.Continue == "":
			return page.ResourceVersion, nil
		}
		d.touch()
		opts.Continue = page.Continue
	}
}

// A witness is what is cached, of one scope, at a version.
type witness[T Object] struct {
	content     Snapshot[T]
	version     string
	quarantined map[types.NamespacedName]struct{}
}

// cachedAt waits until the cache has reached a version: a bookmark brings it there if no event does.
func (a *audit[T]) cachedAt(ctx context.Context, version string) (witness[T], error) {
	d := newDeadline(ctx, a.config.Clock)
	defer d.stop()
	d.within(2*a.config.Silence, nil)
	if err := a.scope.waiters.wait(d.ctx, version, a.scope.versionNow); err != nil {
		return witness[T]{}, err
	}
	return a.scope.witness(), nil
}

// versionNow returns the version that the scope has reached.
func (s *scope[T]) versionNow() string {
	s.informer.writing.Lock()
	defer s.informer.writing.Unlock()
	return s.version
}

func (s *scope[T]) witness() witness[T] {
	s.informer.writing.Lock()
	defer s.informer.writing.Unlock()
	return witness[T]{s.informer.indexer.Snapshot(), s.version, s.informer.quarantine.unusable()}
}

// candidates returns what the cache may be wrong about: by key what the list says, which is nothing for what it has not.
func (a *audit[T]) candidates(listed inventory, cached witness[T], at string) inventory {
	candidates := inventory{}
	for key, id := range listed {
		obj, ok := cached.content.Get(key)
		if _, known := cached.quarantined[key]; known || ok && (IdentityOf(obj) == id || older(at, obj.GetResourceVersion())) {
			continue
		}
		candidates[key] = id
	}
	all := cached.content.All()
	if a.scope.namespace != "" {
		all = cached.content.InNamespace(a.scope.namespace)
	}
	for obj := range all {
		key := KeyOf(obj)
		if _, exists := listed[key]; exists || older(at, obj.GetResourceVersion()) {
			continue
		}
		if _, known := cached.quarantined[key]; !known {
			candidates[key] = Identity{}
		}
	}
	return candidates
}

// A divergence is what the cache is wrong about.
type divergence struct {
	keys     []types.NamespacedName
	newEpoch bool // what the server has is not newer than what is cached
}

// confirmed returns those candidates of which the second list says the same as the first.
func confirmed[T Object](candidates, second inventory, cached func(types.NamespacedName) (T, bool)) divergence {
	var d divergence
	for key, id := range candidates {
		if second[key] != id {
			continue
		}
		d.keys = append(d.keys, key)
		obj, ok := cached(key)
		d.newEpoch = d.newEpoch || ok && id.ResourceVersion != "" && !older(obj.GetResourceVersion(), id.ResourceVersion)
	}
	return d
}
