package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"pgregory.net/rapid"
)

// A region is an informer of several namespaces and the server beside it, which is the model.
type region struct {
	t          *rapid.T
	server     *simulator
	informer   *NamespacedInformer[cm]
	namespaces []string
	upset      map[string]bool // namespaces whose stream may be behind
	denied     map[string]bool
	restored   int // with server.mu held
	seen       *replayer
	complaints *complaints // of the handler
}

// Whatever happens to one namespace, those whose streams are in order have exactly what the server has; events replayed
// give the cache; the cache has all there is up to its version.
func TestNamespacesAgainstModel(t *testing.T) {
	rapid.Check(t, inBubble(t, func(t *rapid.T) {
		r := newRegion(t)
		stop := r.start()
		defer stop()
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			r.step(rapid.IntRange(0, 11).Draw(t, "step"))
			synctest.Wait()
			r.check()
		}
		r.server.change(func() { clear(r.denied) })
		r.calm()
		r.check()
	}))
}

// inBubble runs each attempt of a property in a bubble of its own.
func inBubble(t *testing.T, property func(*rapid.T)) func(*rapid.T) {
	t.Helper()
	return func(attempt *rapid.T) {
		var failure any
		synctest.Test(t, func(*testing.T) {
			defer func() { failure = recover() }()
			property(attempt)
		})
		if kind := fmt.Sprintf("%T", failure); kind == "rapid.invalidData" {
			panic(failure) // rapid tells failures apart by where they happen
		}
		if failure != nil {
			panic(failure)
		}
	}
}

// complaints takes failures from any goroutine.
type complaints struct {
	mu   sync.Mutex
	list []string
}

func (c *complaints) Helper() {}

func (c *complaints) Fatalf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, fmt.Sprintf(format, args...))
}

func newRegion(t *rapid.T) *region {
	r := &region{t: t, server: newSimulator(), upset: map[string]bool{}, denied: map[string]bool{}, complaints: &complaints{}}
	r.seen = newReplayer(r.complaints)
	r.server.watchList = rapid.Bool().Draw(t, "watch list")
	r.server.deny = func(_, namespace string) error {
		if r.denied[namespace] {
			return apierrors.NewForbidden(pods, "", errors.New("x"))
		}
		return nil
	}
	r.namespaces = []string{"a", "b"}
	informer, err := NewNamespacedInformer(r.server.in, r.namespaces, Config{})
	if err != nil {
		t.Fatal(err)
	}
	r.informer = informer
	informer.Subscribe("replay", func(_ context.Context, event Event[cm]) {
		again := event.Type == Updated && stateOf(event.Old) == stateOf(event.Object)
		r.server.change(func() { again = again && r.restored == 0 })
		if again {
			r.complaints.Fatalf("%s was told again as %s", event.Key, stateOf(event.Object))
		}
		r.seen.apply(event)
	})
	return r
}

func (r *region) start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.informer.Run(ctx) }()
	synctest.Wait()
	return func() {
		cancel()
		if err := <-done; err != nil || len(r.server.streams) != 0 {
			r.t.Errorf("Run returned %v, %d streams are open", err, len(r.server.streams))
		}
	}
}

func (r *region) namespace() string {
	return rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(r.t, "namespace")
}

func (r *region) step(n int) {
	namespace := r.namespace()
	switch n {
	case 0, 1, 2, 3:
		r.server.put(namespace, rapid.SampledFrom([]string{"x", "y", "z"}).Draw(r.t, "name"))
	case 4:
		r.server.remove(namespace, rapid.SampledFrom([]string{"x", "y", "z"}).Draw(r.t, "name"))
	case 5:
		r.server.cut(namespace, rapid.SampledFrom([]error{
			errCut, apierrors.NewResourceExpired("x"), apierrors.NewServiceUnavailable("x"), apierrors.NewInternalError(errCut),
		}).Draw(r.t, "error"))
		r.upset[namespace] = true
	case 6:
		r.server.bookmark()
	case 7, 8:
		r.rescope(rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), rapid.ID[string]).Draw(r.t, "namespaces"))
	case 9:
		r.calm()
	case 10:
		r.server.change(func() { r.denied[namespace] = !r.denied[namespace] })
	case 11:
		r.restore()
	}
}

func (r *region) rescope(namespaces []string) {
	if err := r.informer.SetNamespaces(namespaces...); err != nil {
		r.t.Fatal(err)
	}
	for _, namespace := range namespaces {
		if !slices.Contains(r.namespaces, namespace) {
			r.upset[namespace] = r.denied[namespace]
		}
	}
	r.namespaces = namespaces
}

// calm lets all streams recover that may.
func (r *region) calm() {
	time.Sleep(6 * time.Minute)
	synctest.Wait()
	for namespace := range r.upset {
		r.upset[namespace] = r.upset[namespace] && r.denied[namespace]
	}
}

// restore goes back, and waits until that is found: later nobody might be able to tell.
func (r *region) restore() {
	r.server.change(func() { clear(r.denied) })
	r.calm()
	version := rapid.IntRange(10, r.server.version).Draw(r.t, "version")
	if version < r.server.version && len(r.namespaces) > 0 {
		r.server.change(func() { r.restored++ })
	}
	r.server.restore(version)
	r.calm()
}

func (r *region) check() {
	if len(r.complaints.list) > 0 {
		r.t.Fatalf("%s", r.complaints.list[0])
	}
	for _, namespace := range r.namespaces {
		if r.upset[namespace] {
			continue
		}
		var cached []string
		for obj := range r.informer.Indexer().InNamespace(namespace) {
			cached = append(cached, KeyOf(obj).String()+" "+stateOf(obj))
		}
		slices.Sort(cached)
		if want := r.server.state(namespace); !slices.Equal(cached, want) {
			r.t.Fatalf("of %q the cache has %q, the server %q", namespace, cached, want)
		}
	}
	if got := len(r.seen.objects); got != r.informer.Indexer().Len() {
		r.t.Fatalf("events replayed give %d objects, the cache has %d", got, r.informer.Indexer().Len())
	}
	for obj := range r.informer.Indexer().All() {
		if r.seen.objects[KeyOf(obj)] != obj || !slices.Contains(r.namespaces, obj.Namespace) {
			r.t.Fatalf("events replayed give another %s than the cache has, %s", KeyOf(obj), stateOf(obj))
		}
	}
	if got := r.informer.Status().Epochs; got > r.restored {
		r.t.Fatalf("%d epochs are counted after %d restores", got, r.restored)
	}
	r.checkVersion()
}

func (r *region) checkVersion() {
	version := r.informer.Indexer().ResourceVersion()
	for key, obj := range r.server.objects {
		if version == "" || older(version, obj.ResourceVersion) || !slices.Contains(r.namespaces, key.Namespace) || !r.informer.HasSynced() {
			continue
		}
		if got, ok := r.informer.Indexer().Get(key); (!ok || older(got.ResourceVersion, obj.ResourceVersion)) && r.listed(key.Namespace) {
			r.t.Fatalf("the cache is at version %s, but has not %s in version %s", version, key, obj.ResourceVersion)
		}
	}
}

// listed says whether a namespace counts for the version: one that has come and can't be read does not.
func (r *region) listed(namespace string) bool {
	status, _ := r.informer.StatusOf(namespace)
	return !status.LastList.IsZero()
}
