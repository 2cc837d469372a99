package factory_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/factory"
)

type podLease = *factory.Lease[*corev1.Pod]

// A server has one pod in each namespace. It counts.
type server struct {
	mu      sync.Mutex
	missing bool     // the resource does not exist
	opened  []string // by namespace
	lists   []string
	watches map[string]int // open ones, by namespace and label selector
	options []metav1.ListOptions
}

func newServer() *server { return &server{watches: map[string]int{}} }

// open opens a source for a namespace.
func (s *server) open(namespace string) cache.ListerWatcher[*corev1.Pod] {
	return podSource{s, namespace}
}

func (s *server) setMissing(missing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missing = missing
}

// watching returns how many watches are open.
func (s *server) watching() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := 0
	for _, n := range s.watches {
		total += n
	}
	return total
}

func (s *server) listed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lists)
}

func (s *server) asked() []metav1.ListOptions {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.options)
}

type podSource struct {
	server    *server
	namespace string
}

func (s podSource) List(_ context.Context, opts metav1.ListOptions) (cache.Page[*corev1.Pod], error) {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.options = append(s.server.options, opts)
	if s.server.missing {
		return cache.Page[*corev1.Pod]{}, apierrors.NewNotFound(corev1.Resource("pods"), "")
	}
	s.server.lists = append(s.server.lists, s.namespace)
	item := pod(s.namespace, "web")
	item.UID, item.ResourceVersion = "u", "1"
	return cache.Page[*corev1.Pod]{Items: []*corev1.Pod{item}, ResourceVersion: "1"}, nil
}

func (s podSource) Watch(_ context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	key := s.namespace + " " + opts.LabelSelector
	s.server.count(key, 1)
	return stream{watch.NewFake(), sync.OnceFunc(func() { s.server.count(key, -1) })}, nil
}

func (s *server) count(key string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watches[key] += n
}

type stream struct {
	*watch.FakeWatcher

	stopped func()
}

func (s stream) Stop() {
	s.stopped()
	s.FakeWatcher.Stop()
}

// patient is a configuration for a server that has nothing to say.
func patient() factory.Config {
	return factory.Config{Informer: cache.Config{Silence: 24 * time.Hour, WatchTimeout: 24 * time.Hour}}
}

// start runs the factory until the returned function is called.
func start(t *testing.T, f *factory.Factory) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	synctest.Wait()
	return sync.OnceFunc(func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
}

// begin returns a factory that runs until stop is called.
func begin(t *testing.T, config factory.Config) (f *factory.Factory, stop func()) {
	t.Helper()
	f = factory.New(config)
	return f, start(t, f)
}

func acquire(
	t *testing.T, c *factory.Cluster, s *server, options factory.Options, transforms ...cache.Transform[*corev1.Pod],
) podLease {
	t.Helper()
	lease, err := factory.Acquire(c, s.open, options, transforms...)
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

// soon returns a context that ends before anybody tries again.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// wantError checks what an error is, and says.
func wantError(t *testing.T, err, is error, says ...string) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Errorf("the error is %v, want %v", err, is)
		return
	}
	for _, part := range says {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error is %q, want it to say %q", err, part)
		}
	}
}

func wantNone(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// identities returns the informers there are, in the order of Statuses.
func identities(f *factory.Factory) []string {
	var all []string
	for _, status := range f.Statuses() {
		all = append(all, status.Identity.String())
	}
	return all
}
