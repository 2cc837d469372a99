package clientgo_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"
)

func errUnavailable() error { return apierrors.NewServiceUnavailable("not now") }

type contextKey struct{}

// The watch error handler gets the informer's context and a Reflector that it may ask what every handler asks.
func TestContractWatchErrorHandler(t *testing.T) {
	forEachFeed(t, func(t *scene) {
		source := t.newSource(newPod("a"))
		forbidden := apierrors.NewForbidden(corev1.Resource("pods"), "", errors.New("no role"))
		source.failLists(forbidden, forbidden, errUnavailable(), errUnavailable())
		informer := newPodInformer(t.implementation, source)
		var (
			mu   sync.Mutex
			errs []error
		)
		told := func() []error {
			settle()
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(errs)
		}
		wantOK(t, informer.SetWatchErrorHandlerWithContext(func(ctx context.Context, r *cache.Reflector, err error) {
			if ctx.Value(contextKey{}) != "ours" {
				t.Error("the handler has another context than the informer")
			}
			if r.TypeDescription() != "*v1.Pod" || r.Name() == "" || r.LastSyncResourceVersion() != "" {
				t.Errorf("the reflector says %q, %q, %q", r.TypeDescription(), r.Name(), r.LastSyncResourceVersion())
			}
			cache.DefaultWatchErrorHandler(ctx, r, err) // which reads the reflector's fields
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		}))
		go informer.RunWithContext(context.WithValue(t.Context(), contextKey{}, "ours"))
		if first := told(); len(first) != 1 || !errors.Is(first[0], forbidden) {
			t.Errorf("the handler was told %v, want the failure of the list", first)
		}
		pause()
		if all := told(); !slices.ContainsFunc(all, apierrors.IsServiceUnavailable) || !informer.HasSynced() {
			t.Errorf("the handler was told %v, and the informer is synced: %t", all, informer.HasSynced())
		}
	})
}

func TestContractWatchErrorHandlerLastWins(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource()
		source.failLists(errUnavailable())
		informer := newPodInformer(t.implementation, source)
		wantOK(t, informer.SetWatchErrorHandlerWithContext(func(context.Context, *cache.Reflector, error) {
			t.Error("the handler that was replaced was called")
		}))
		calls := 0
		wantOK(t, informer.SetWatchErrorHandler(func(r *cache.Reflector, err error) { calls++ }))
		go informer.RunWithContext(t.Context())
		pause()
		if calls != 1 {
			t.Errorf("the handler was called %d times, want once", calls)
		}
	})
}

func TestContractObjectDescription(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource()
		source.failLists(errUnavailable())
		informer := t.newSharedIndexInformerWithOptions(source, &corev1.Pod{},
			cache.SharedIndexInformerOptions{ObjectDescription: "small pods"})
		var descriptions []string
		wantOK(t, informer.SetWatchErrorHandler(func(r *cache.Reflector, err error) {
			descriptions = append(descriptions, r.TypeDescription())
		}))
		go informer.RunWithContext(t.Context())
		pause()
		wantStrings(t, descriptions, "small pods")
	})
}

func TestContractWatchErrorHandlerKnowsTheVersion(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"), newPod("b"))
		informer := newPodInformer(t.implementation, source)
		var versions []string
		wantOK(t, informer.SetWatchErrorHandler(func(r *cache.Reflector, err error) {
			versions = append(versions, r.LastSyncResourceVersion())
		}))
		source.failWatches(apierrors.NewForbidden(corev1.Resource("pods"), "", errors.New("no watch")))
		go informer.RunWithContext(t.Context())
		settle()
		if !slices.Equal(versions, []string{"2"}) {
			t.Errorf("when the watch failed, the reflector was at %q, want 2", versions)
		}
		if !informer.HasSynced() {
			t.Error("a list without a watch is no sync")
		}
	})
}

func TestContractWatchErrorHandlerOfStreams(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		var errs []error
		wantOK(t, informer.SetWatchErrorHandler(func(r *cache.Reflector, err error) { errs = append(errs, err) }))
		go informer.RunWithContext(t.Context())
		settle()
		source.expire()
		pause()
		switch {
		case t.defects.streamErrorsUnreported && len(errs) > 0:
			t.Errorf("the handler was told %v, which is better than it was known to be", errs)
		case !t.defects.streamErrorsUnreported && !slices.ContainsFunc(errs, apierrors.IsResourceExpired):
			t.Errorf("the handler was told %v, want 410 Gone", errs)
		}
	})
}

// Requests carry the context of the informer, if the ListerWatcher takes one.
func TestContractRequestsCarryTheContext(t *testing.T) {
	forEachFeed(t, func(t *scene) {
		source := t.newSource(newPod("a"))
		go newPodInformer(t.implementation, source).RunWithContext(context.WithValue(t.Context(), contextKey{}, "ours"))
		settle()
		for _, request := range source.requests() {
			if request.ctx.Value(contextKey{}) != "ours" {
				t.Errorf("a %s has another context than the informer", request.verb)
			}
		}
	})
}

// A ListerWatcher of before contexts does as well.
func TestContractListerWatcherWithoutContext(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, old{source})
		handler, _ := subscribe(t, informer)
		go informer.RunWithContext(t.Context())
		handler.want(t, "add default/a@1 initial")
	})
}

// Old hides the methods of a source that take a context.
type old struct{ cache.ListerWatcher }

// IsWatchListSemanticsUnSupported forwards what embedding the interface hides.
func (old) IsWatchListSemanticsUnSupported() bool { return true }

// A client that says that it cannot stream is listed. Fakes say so.
func TestContractClientThatCannotStream(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		go newPodInformer(t.implementation, source).RunWithContext(t.Context())
		settle()
		for _, request := range source.requests() {
			if request.options.SendInitialEvents != nil {
				t.Errorf("a %s asked for initial events", request.verb)
			}
		}
	})
}
