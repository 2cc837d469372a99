package cache

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

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
	s.pause(ctx, kind)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deny != nil {
		if err := s.deny(kind, s.namespace); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

func (s *simulator) pause(ctx context.Context, kind string) {
	s.mu.Lock()
	hold := s.hold
	s.mu.Unlock()
	if hold != nil {
		hold(ctx, kind)
	}
}

// StreamList lists everything, whatever the limit, except that a probe gets no more than it asks for.
func (s simSource) StreamList(ctx context.Context, request Request[cm], each func(Item[cm])) (PageMeta, error) {
	kind, most := "list", 0
	if request.Limit == 1 {
		kind, most = "probe", 1
	}
	if err := s.answer(ctx, kind, request.ListOptions); err != nil {
		return PageMeta{}, err
	}
	s.mu.Lock()
	items, page := s.listLocked(most), PageMeta{ResourceVersion: strconv.Itoa(s.version)}
	s.mu.Unlock()
	for _, item := range items {
		each(s.item(item, request))
		s.pause(ctx, "item")
		if ctx.Err() != nil {
			return PageMeta{}, context.Cause(ctx)
		}
	}
	return page, nil
}

// listLocked returns what there is in order, at most so much of it.
func (s simSource) listLocked(limit int) []cm {
	var items []cm
	for _, key := range slices.SortedFunc(maps.Keys(s.objects), func(a, b types.NamespacedName) int {
		return slices.Compare([]string{a.Namespace, a.Name}, []string{b.Namespace, b.Name})
	}) {
		if s.namespace == "" || key.Namespace == s.namespace {
			items = append(items, s.objects[key])
		}
	}
	if limit > 0 && len(items) > limit {
		items = items[:limit]
	}
	return items
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
	items := s.listLocked(0)
	events := make([]simEvent, 0, len(items)+1)
	for _, item := range items {
		events = append(events, simEvent{StreamEvent: StreamEvent[cm]{watch.Added, item}})
	}
	end := bookmarkAt(strconv.Itoa(s.version))
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
	if _, open := s.streams[s]; !open || s.bookmarks <= 0 {
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
