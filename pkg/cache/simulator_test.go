package cache

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// A simulator is an API server in memory, with namespaces, for tests inside synctest. As on a real one, a watch from a
// version that the server does not have yet stays open and is silent, and idle watches get bookmarks. Tests set its fields
// before it is used, or by change.
type simulator struct {
	watchList bool                                      // it knows initial events
	bookmarks time.Duration                             // the period of bookmarks; 0 for none
	deny      func(request, namespace string) error     // what a request gets; nil for the answer
	hold      func(ctx context.Context, request string) // is called before an answer, and after each item, without a lock
	drops     func(StreamEvent[cm]) bool                // says which events are lost
	broken    map[types.NamespacedName]bool             // objects that can't be decoded
	initial   func(events []simEvent) []simEvent        // changes the initial events

	mu       sync.Mutex
	requests []string       // with their namespaces and versions
	decoded  map[string]int // how often each state was decoded, by name@version
	version  int
	uids     int
	epoch    int
	objects  map[types.NamespacedName]cm
	history  []simEvent // of this epoch
	streams  map[*simStream]struct{}
}

// A simEvent is an event of a stream, or an error that ends it.
type simEvent struct {
	StreamEvent[cm]
	err error
}

func newSimulator() *simulator {
	return &simulator{
		version: 10, objects: map[types.NamespacedName]cm{}, streams: map[*simStream]struct{}{}, decoded: map[string]int{},
		broken: map[types.NamespacedName]bool{}, bookmarks: time.Minute,
	}
}

// change lets a test change a field, or what its functions read, while the server is in use.
func (s *simulator) change(how func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how()
}

// in returns the server as the source for a namespace.
func (s *simulator) in(namespace string) ListerWatcher[cm] { return simSource{s, namespace} }

// put creates or updates an object.
func (s *simulator) put(namespace, name string) cm {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := types.NamespacedName{Namespace: namespace, Name: name}
	old, exists := s.objects[key]
	change, uid := watch.Added, types.UID("")
	if exists {
		change, uid = watch.Modified, old.UID
	} else {
		s.uids++
		uid = types.UID("uid" + strconv.Itoa(s.uids))
	}
	s.version++
	obj := configMap(name, uid, strconv.Itoa(s.version))
	obj.Namespace, obj.Data = namespace, map[string]string{"epoch": strconv.Itoa(s.epoch)}
	s.objects[key] = obj
	s.sendLocked(StreamEvent[cm]{change, obj})
	return obj
}

func (s *simulator) remove(namespace, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := types.NamespacedName{Namespace: namespace, Name: name}
	obj, exists := s.objects[key]
	if !exists {
		return
	}
	s.version++
	delete(s.objects, key)
	final := obj.DeepCopy()
	final.ResourceVersion = strconv.Itoa(s.version)
	s.sendLocked(StreamEvent[cm]{watch.Deleted, final})
}

func (s *simulator) sendLocked(event StreamEvent[cm]) {
	s.history = append(s.history, simEvent{StreamEvent: event})
	for stream := range s.streams {
		if stream.takes(event) && (s.drops == nil || !s.drops(event)) {
			stream.push(simEvent{StreamEvent: event})
		}
	}
}

// bookmark sends one to each stream that has come as far as the server.
func (s *simulator) bookmark() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for stream := range s.streams {
		if stream.from <= s.version {
			stream.push(simEvent{StreamEvent: bookmarkAt(strconv.Itoa(s.version))})
		}
	}
}

func bookmarkAt(version string) StreamEvent[cm] {
	return StreamEvent[cm]{watch.Bookmark, configMap("", "", version)}
}

// cut ends all streams of a namespace, of all if it is empty, with an error.
func (s *simulator) cut(namespace string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for stream := range s.streams {
		if namespace == "" || stream.namespace == namespace {
			stream.push(simEvent{err: err})
		}
	}
}

// restore makes the server what it was at a version: streams stay open, and objects are as they were.
func (s *simulator) restore(version int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects = map[types.NamespacedName]cm{}
	kept := s.history[:0:0]
	for _, e := range s.history {
		if v, _ := strconv.Atoi(e.Object.ResourceVersion); v > version {
			break
		}
		kept = append(kept, e)
		if key := KeyOf(e.Object); e.Type == watch.Deleted {
			delete(s.objects, key)
		} else {
			s.objects[key] = e.Object
		}
	}
	s.history, s.version = kept, version
	s.epoch++
	for stream := range s.streams {
		stream.from = max(stream.from, version+1_000_000) // silent from now on
	}
}

// state returns what there is in the namespaces, as "namespace/name uid@version".
func (s *simulator) state(namespaces ...string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var state []string
	for key, obj := range s.objects {
		if slices.Contains(namespaces, key.Namespace) {
			state = append(state, key.String()+" "+stateOf(obj))
		}
	}
	slices.Sort(state)
	return state
}

// cachedState returns the same of an informer.
func cachedState(i *Informer[cm]) []string {
	var state []string
	for obj := range i.Indexer().All() {
		state = append(state, KeyOf(obj).String()+" "+stateOf(obj))
	}
	slices.Sort(state)
	return state
}

// asked returns the requests since the last call.
func (s *simulator) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.requests
	s.requests = nil
	return asked
}

var (
	errBroken = fmt.Errorf("no such field")
	errCut    = io.ErrUnexpectedEOF
)

// simulate runs an informer on a simulator that prepare has filled, inside synctest.
func simulate(t *testing.T, config Config, prepare func(*simulator), act func(*testing.T, *simulator, *Informer[cm]), transforms ...Transform[cm]) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := newSimulator()
		prepare(server)
		i := NewInformer(server.in(""), config, transforms...)
		stop := start(t, i)
		synctest.Wait()
		act(t, server, i)
		stop()
		if len(server.streams) != 0 {
			t.Errorf("%d streams are open after the end", len(server.streams))
		}
	})
}
