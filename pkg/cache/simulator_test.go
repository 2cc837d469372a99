package cache

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// A simulator is an API server in memory, with namespaces, for tests inside synctest. As on a real one, a watch from a
// version that the server does not have yet stays open and is silent, and idle watches get bookmarks. Tests set its fields
// before it is used, or between calls of synctest.Wait.
type simulator struct {
	watchList bool                                  // it knows initial events
	bookmarks time.Duration                         // the period of bookmarks; 0 for none
	deny      func(request, namespace string) error // what a request gets; nil for the answer
	hold      func(ctx context.Context, request string)
	drops     func(StreamEvent[cm]) bool         // says which events are lost
	broken    map[types.NamespacedName]bool      // objects that can't be decoded
	initial   func(events []simEvent) []simEvent // changes the initial events

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

// simSource is the simulator for one namespace, or all.
type simSource struct {
	*simulator

	namespace string
}

func (s simSource) SendsInitialEvents() bool { return s.watchList }

// List and Watch are never called: a Reflector prefers the Streamer's methods.
func (s simSource) List(context.Context, metav1.ListOptions) (Page[cm], error) { panic("list") }

func (s simSource) Watch(context.Context, metav1.ListOptions) (watch.Interface, error) {
	panic("watch")
}

// answer notes a request.
func (s simSource) answer(ctx context.Context, kind string, opts metav1.ListOptions) error {
	s.mu.Lock()
	s.requests = append(s.requests, fmt.Sprintf("%s %s@%s", kind, s.namespace, opts.ResourceVersion))
	s.mu.Unlock()
	if s.hold != nil {
		s.hold(ctx, kind)
	}
	if s.deny != nil {
		if err := s.deny(kind, s.namespace); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// StreamList lists everything, whatever the limit, except that a probe gets no more than it asks for.
func (s simSource) StreamList(ctx context.Context, request Request[cm], each func(Item[cm])) (PageMeta, error) {
	kind := "list"
	if request.Limit == 1 {
		kind = "probe"
	}
	if err := s.answer(ctx, kind, request.ListOptions); err != nil {
		return PageMeta{}, err
	}
	s.mu.Lock()
	items, page := s.pageLocked(request.Limit)
	s.mu.Unlock()
	for _, item := range items {
		each(s.item(item, request))
		if s.hold != nil {
			s.hold(ctx, "item")
		}
		if ctx.Err() != nil {
			return PageMeta{}, context.Cause(ctx)
		}
	}
	return page, nil
}

func (s simSource) pageLocked(limit int64) ([]cm, PageMeta) {
	var items []cm
	for _, key := range slices.SortedFunc(maps.Keys(s.objects), func(a, b types.NamespacedName) int {
		return slices.Compare([]string{a.Namespace, a.Name}, []string{b.Namespace, b.Name})
	}) {
		if s.namespace == "" || key.Namespace == s.namespace {
			items = append(items, s.objects[key])
		}
	}
	if limit == 1 && len(items) > 1 {
		items = items[:1]
	}
	return items, PageMeta{ResourceVersion: strconv.Itoa(s.version)}
}

// item decodes an object, unless it is known.
func (s simSource) item(obj cm, request Request[cm]) Item[cm] {
	if request.Known != nil {
		if known, ok := request.Known(IdentityOf(obj)); ok {
			return Item[cm]{Object: known}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decoded[obj.Name+"@"+obj.ResourceVersion]++
	if s.broken[KeyOf(obj)] {
		return Item[cm]{Err: &UndecodableError{Identity: IdentityOf(obj), Err: errBroken}}
	}
	return Item[cm]{Object: obj.DeepCopy()}
}

// StreamWatch opens a stream, with initial events if they are asked for and known.
func (s simSource) StreamWatch(ctx context.Context, request Request[cm]) (Stream[cm], error) {
	kind := "watch"
	sends := request.SendInitialEvents != nil && *request.SendInitialEvents
	if sends {
		kind = "watch-list"
	}
	if err := s.answer(ctx, kind, request.ListOptions); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	from, _ := strconv.Atoi(request.ResourceVersion)
	stream := &simStream{simSource: s, ctx: ctx, request: request, from: from, wake: newToken()}
	switch {
	case sends:
		stream.from = 0
		stream.beginLocked()
	default:
		for _, e := range s.history {
			if v, _ := strconv.Atoi(e.Object.ResourceVersion); v > from && stream.takes(e.StreamEvent) {
				stream.push(e)
			}
		}
	}
	s.streams[stream] = struct{}{}
	if s.bookmarks > 0 {
		stream.timer = time.AfterFunc(s.bookmarks, stream.tick)
	}
	return stream, nil
}

// A simStream is an open watch.
type simStream struct {
	simSource

	ctx     context.Context
	request Request[cm]
	from    int // no events up to this version
	wake    token
	timer   *time.Timer
	queue   []simEvent // with simulator.mu held
}

func (s *simStream) beginLocked() {
	items, page := s.pageLocked(0)
	events := make([]simEvent, 0, len(items)+1)
	for _, item := range items {
		events = append(events, simEvent{StreamEvent: StreamEvent[cm]{watch.Added, item}})
	}
	end := bookmarkAt(page.ResourceVersion)
	end.Object.Annotations = map[string]string{metav1.InitialEventsAnnotationKey: "true"}
	events = append(events, simEvent{StreamEvent: end})
	if s.initial != nil {
		events = s.initial(events)
	}
	for _, event := range events {
		s.push(event)
	}
}

func (s *simStream) takes(event StreamEvent[cm]) bool {
	v, _ := strconv.Atoi(event.Object.ResourceVersion)
	return v > s.from && (s.namespace == "" || s.namespace == event.Object.Namespace)
}

func (s *simStream) push(event simEvent) {
	s.queue = append(s.queue, event)
	s.wake.signal()
}

// tick sends a bookmark now and then.
func (s *simStream) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, open := s.streams[s]; !open {
		return
	}
	if s.from <= s.version {
		s.push(simEvent{StreamEvent: bookmarkAt(strconv.Itoa(s.version))})
	}
	s.timer.Reset(s.bookmarks)
}

func (s *simStream) Next() (StreamEvent[cm], error) {
	for {
		if event, ok := s.pop(); ok {
			return s.decode(event)
		}
		select {
		case <-s.ctx.Done():
			return StreamEvent[cm]{}, context.Cause(s.ctx)
		case <-s.wake:
		}
	}
}

func (s *simStream) pop() (simEvent, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return simEvent{}, false
	}
	event := s.queue[0]
	s.queue = s.queue[1:]
	return event, true
}

func (s *simStream) decode(event simEvent) (StreamEvent[cm], error) {
	if event.err != nil || event.Type == watch.Bookmark {
		return event.StreamEvent, event.err
	}
	item := s.item(event.Object, s.request)
	if item.Err != nil {
		item.Err.Type = event.Type
		return StreamEvent[cm]{}, item.Err
	}
	return StreamEvent[cm]{event.Type, item.Object}, nil
}

func (s *simStream) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, s)
	if s.timer != nil {
		s.timer.Stop()
	}
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
