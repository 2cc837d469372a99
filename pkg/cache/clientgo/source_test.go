package clientgo_test

import (
	"context"
	"strconv"
	"sync"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// A source is an API server that holds pods. A change is in the watch when the method that makes it returns, unless it is
// made to be missed.
type source struct {
	streams bool // whether it supports WatchList

	mu       sync.Mutex
	pods     []*corev1.Pod // in the order of their creation
	version  int
	missing  bool // changes do not reach the watch
	listErrs []error
	watchErr error
	calls    []call
	told     []watch.Event // what a watch is told, in the order of resource versions
	watcher  *watch.RaceFreeFakeWatcher
}

// A call is a request that a source got.
type call struct {
	ctx     context.Context
	verb    string
	options metav1.ListOptions
}

// NewSource returns a source that holds the pods, each with its own resource version, starting at 1.
func newSource(pods ...*corev1.Pod) *source {
	s := &source{}
	for _, p := range pods {
		s.create(p)
	}
	return s
}

// NewStreamingSource returns a source that supports WatchList.
func newStreamingSource(pods ...*corev1.Pod) *source {
	s := newSource(pods...)
	s.streams = true
	return s
}

func (s *source) create(p *corev1.Pod) { s.change(watch.Added, p) }
func (s *source) update(p *corev1.Pod) { s.change(watch.Modified, p) }
func (s *source) delete(p *corev1.Pod) { s.change(watch.Deleted, p) }

// Miss makes changes that no watch tells: only a list shows them.
func (s *source) miss(changes func()) {
	s.setMissing(true)
	defer s.setMissing(false)
	changes()
}

// Send passes an event on to the watch that is no change of a pod.
func (s *source) send(event watch.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watcher != nil {
		s.watcher.Action(event.Type, event.Object)
	}
}

// Bookmark tells the watch a resource version at which nothing changed.
func (s *source) bookmark(version string) {
	s.send(watch.Event{Type: watch.Bookmark, Object: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{ResourceVersion: version}}})
}

// Expire ends the watch with 410 Gone, upon which the client lists again.
func (s *source) expire() {
	s.send(watch.Event{Type: watch.Error, Object: &metav1.Status{
		Status: metav1.StatusFailure, Code: 410, Reason: metav1.StatusReasonExpired, Message: "too old",
	}})
}

// FailLists makes the next lists, or streams in place of lists, fail.
func (s *source) failLists(errs ...error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listErrs = errs
}

// FailWatches makes every watch fail until it is called with nil.
func (s *source) failWatches(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchErr = err
}

// Requests are the calls so far.
func (s *source) requests() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]call(nil), s.calls...)
}

// IsWatchListSemanticsUnSupported is what client-go asks a client before it streams instead of listing.
func (s *source) IsWatchListSemanticsUnSupported() bool { return !s.streams }

func (s *source) List(options metav1.ListOptions) (runtime.Object, error) {
	return s.ListWithContext(context.Background(), options)
}

func (s *source) Watch(options metav1.ListOptions) (watch.Interface, error) {
	return s.WatchWithContext(context.Background(), options)
}

func (s *source) ListWithContext(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call{ctx, "list", options})
	if err := s.listErrLocked(); err != nil {
		return nil, err
	}
	list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: strconv.Itoa(s.version)}}
	for _, p := range s.pods {
		list.Items = append(list.Items, *p.DeepCopy())
	}
	return list, nil
}

func (s *source) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call{ctx, "watch", options})
	initial := options.SendInitialEvents != nil && *options.SendInitialEvents
	if initial {
		if err := s.listErrLocked(); err != nil {
			return nil, err
		}
	}
	if s.watchErr != nil {
		return nil, s.watchErr
	}
	s.watcher = watch.NewRaceFreeFake()
	if initial {
		s.sendInitialLocked()
	} else {
		s.resumeLocked(options.ResourceVersion)
	}
	return s.watcher, nil
}

func (s *source) setMissing(missing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missing = missing
}

func (s *source) change(event watch.EventType, p *corev1.Pod) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	p = p.DeepCopy()
	p.ResourceVersion = strconv.Itoa(s.version)
	s.applyLocked(event, p)
	if s.missing {
		return
	}
	s.told = append(s.told, watch.Event{Type: event, Object: p})
	if s.watcher != nil {
		s.watcher.Action(event, p.DeepCopy())
	}
}

func (s *source) applyLocked(event watch.EventType, p *corev1.Pod) {
	for i, known := range s.pods {
		if known.Namespace != p.Namespace || known.Name != p.Name {
			continue
		}
		if event == watch.Deleted {
			s.pods = append(s.pods[:i:i], s.pods[i+1:]...)
		} else {
			s.pods[i] = p
		}
		return
	}
	if event != watch.Deleted {
		s.pods = append(s.pods, p)
	}
}

func (s *source) sendInitialLocked() {
	for _, p := range s.pods {
		s.watcher.Add(p.DeepCopy())
	}
	s.watcher.Action(watch.Bookmark, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		ResourceVersion: strconv.Itoa(s.version),
		Annotations:     map[string]string{metav1.InitialEventsAnnotationKey: "true"},
	}})
}

// ResumeLocked tells a new watch what happened since the version.
func (s *source) resumeLocked(version string) {
	since, _ := strconv.Atoi(version)
	for _, event := range s.told {
		p := event.Object.(*corev1.Pod)
		if at, _ := strconv.Atoi(p.ResourceVersion); at > since {
			s.watcher.Action(event.Type, p.DeepCopy())
		}
	}
}

func (s *source) listErrLocked() error {
	if len(s.listErrs) == 0 {
		return nil
	}
	err := s.listErrs[0]
	s.listErrs = s.listErrs[1:]
	return err
}

// Settle waits until everything that was set going came to rest, without letting time pass.
func settle() { synctest.Wait() }
