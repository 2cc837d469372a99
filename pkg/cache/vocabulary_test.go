package cache

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// cm is the kind of all objects in these tests.
type cm = *corev1.ConfigMap

func configMap(name string, uid types.UID, version string) cm {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: "ns", Name: name, UID: uid, ResourceVersion: version, Labels: map[string]string{"version": version},
	}}
}

func nsKey(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "ns", Name: name}
}

func stateOf(obj cm) string          { return fmt.Sprintf("%s@%s", obj.UID, obj.ResourceVersion) }
func goneState(uid types.UID) string { return string(uid) + " gone" }

// entryOf writes an event down: "Updated a@6", with what else there is to say.
func entryOf(event Event[cm]) string {
	entry := fmt.Sprintf("%s %s@%s", event.Type, event.Key.Name, event.Object.ResourceVersion)
	for _, flag := range []struct {
		set  bool
		name string
	}{{event.Initial, " initial"}, {event.FinalStateUnknown, " unseen"}, {event.Resync, " resync"}} {
		if flag.set {
			entry += flag.name
		}
	}
	return entry
}

// A log is a handler's diary.
type log struct {
	mu      sync.Mutex
	entries []string
}

func (l *log) handle(_ context.Context, event Event[cm]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, entryOf(event))
}

func (l *log) read() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.entries)
}

// want compares the diary since the last call.
func (l *log) want(t *testing.T, entries ...string) {
	t.Helper()
	synctest.Wait()
	if got := l.read(); !slices.Equal(got, entries) {
		t.Errorf("the handler saw %q, want %q", got, entries)
	}
}

// next is want for what came since the last call of next.
func (l *log) next(t *testing.T, entries ...string) {
	t.Helper()
	l.want(t, entries...)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = nil
}

// A liveServer lists two objects and then streams what the test sends.
type liveServer struct {
	scriptedServer
	stream *watch.FakeWatcher
}

func newLiveServer() *liveServer {
	return &liveServer{scriptedServer: scriptedServer{replies: []reply{page("5", "", "a", "b")}}, stream: watch.NewFake()}
}

func (s *liveServer) Watch(context.Context, metav1.ListOptions) (watch.Interface, error) {
	if s.stream.IsStopped() {
		s.stream = watch.NewFake()
	}
	return s.stream, nil
}

// relist makes the informer list again, what is given.
func (s *liveServer) relist(version string, items ...cm) {
	twice := reply{page: Page[cm]{Items: items, ResourceVersion: version}} // as often as an informer asks that finds an epoch
	s.replies = []reply{twice, twice}
	s.stream.Error(&apierrors.NewResourceExpired("too old").ErrStatus)
	time.Sleep(2 * time.Minute) // more than the longest wait before a list
	synctest.Wait()
}

// start runs the informer until the returned function is called.
func start(t *testing.T, i *Informer[cm]) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- i.Run(ctx) }()
	return sync.OnceFunc(func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
}

// newTestInformer returns an informer that does not mind a server that has nothing to say.
func newTestInformer(s ListerWatcher[cm]) *Informer[cm] {
	return NewInformer(s, Config{Silence: longest})
}

// A scene is an informer that runs on a live server, inside synctest.
type scene struct {
	*testing.T
	server   *liveServer
	informer *Informer[cm]
}

// play runs a scene, from before the informer starts (if prepare is not nil) until it has stopped.
func play(t *testing.T, config Config, prepare, act func(s scene), transforms ...Transform[cm]) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if config.Silence == 0 {
			config.Silence = longest
		}
		server := newLiveServer()
		s := scene{t, server, NewInformer(ListerWatcher[cm](server), config, transforms...)}
		if prepare != nil {
			prepare(s)
		}
		stop := start(t, s.informer)
		synctest.Wait()
		act(s)
		stop()
	})
}

func (s scene) add(name string, uid types.UID, version string) {
	s.server.stream.Add(configMap(name, uid, version))
	synctest.Wait()
}

func (s scene) update(name, version string) {
	s.server.stream.Modify(configMap(name, "u", version))
	synctest.Wait()
}

func (s scene) delete(name, version string) {
	s.server.stream.Delete(configMap(name, "u", version))
	synctest.Wait()
}

// cached returns the state of an object in the cache, empty if there is none.
func (s scene) cached(name string) string {
	obj, ok := s.informer.Indexer().Get(nsKey(name))
	if !ok {
		return ""
	}
	return obj.ResourceVersion
}

func (s scene) wantCached(name, version string) {
	s.Helper()
	if got := s.cached(name); got != version {
		s.Errorf("the cache has %q@%s, want version %q", name, got, version)
	}
}
