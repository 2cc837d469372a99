package cache

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// A reply is what a scriptedServer answers to one request.
type reply struct {
	page   Page[*corev1.ConfigMap]
	err    error
	events []watch.Event // of a watch; after them the stream ends, or with a nil last event stays open
}

// A scriptedServer answers requests in order and records them. When the script is over it answers nothing any more.
type scriptedServer struct {
	replies  []reply
	requests []string
	times    []time.Time
}

func (s *scriptedServer) next(ctx context.Context, request string) (reply, error) {
	s.requests = append(s.requests, request)
	s.times = append(s.times, time.Now())
	if len(s.replies) == 0 {
		<-ctx.Done()
		return reply{}, ctx.Err()
	}
	next := s.replies[0]
	s.replies = s.replies[1:]
	return next, next.err
}

func (s *scriptedServer) List(ctx context.Context, opts metav1.ListOptions) (Page[*corev1.ConfigMap], error) {
	request := fmt.Sprintf("list version=%q match=%q limit=%d continue=%q", opts.ResourceVersion, opts.ResourceVersionMatch, opts.Limit, opts.Continue)
	next, err := s.next(ctx, withSelector(request, opts))
	return next.page, err
}

func (s *scriptedServer) Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	request := fmt.Sprintf("watch version=%q bookmarks=%v", opts.ResourceVersion, opts.AllowWatchBookmarks)
	next, err := s.next(ctx, withSelector(request, opts))
	if err != nil {
		return nil, err
	}
	stream := watch.NewFakeWithChanSize(len(next.events), false)
	for _, event := range next.events {
		if event.Type == "" {
			return stream, nil // stays open
		}
		stream.Action(event.Type, event.Object)
	}
	stream.Stop()
	return stream, nil
}

func withSelector(request string, opts metav1.ListOptions) string {
	if opts.LabelSelector == "" {
		return request
	}
	return request + " selector=" + opts.LabelSelector
}

// A recorder is a Sink that writes down what it gets.
type recorder struct{ calls []string }

func (r *recorder) note(call string, obj *corev1.ConfigMap) {
	r.calls = append(r.calls, call+" "+stateOf(obj))
}
func (r *recorder) Add(obj *corev1.ConfigMap)    { r.note("add", obj) }
func (r *recorder) Update(obj *corev1.ConfigMap) { r.note("update", obj) }
func (r *recorder) Delete(obj *corev1.ConfigMap) { r.note("delete", obj) }
func (r *recorder) Bookmark(version string)      { r.calls = append(r.calls, "bookmark "+version) }

func (r *recorder) Replace(state State[*corev1.ConfigMap]) {
	r.calls = append(r.calls, fmt.Sprintf("replace %d at %s", len(state.Items), state.ResourceVersion))
}

func (r *recorder) Isolate(change *UndecodableError) {
	r.calls = append(r.calls, fmt.Sprintf("isolate %s@%s", change.Key, change.ResourceVersion))
}

// runScript runs a Reflector through the script, until it has asked for more than there is.
func runScript(t *testing.T, s ListerWatcher[*corev1.ConfigMap], config Config) (*recorder, Status) {
	t.Helper()
	if config.Silence == 0 {
		config.Silence = longest // the script's last watch stays as it is
	}
	sink := &recorder{}
	r := NewReflector(s, Sink[*corev1.ConfigMap](sink), config)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx)
	}()
	time.Sleep(20 * time.Hour)
	synctest.Wait()
	cancel()
	<-done
	return sink, r.Status()
}

func page(version, next string, names ...string) reply {
	var items []*corev1.ConfigMap
	for _, name := range names {
		items = append(items, configMap(name, "u", "1"))
	}
	return reply{page: Page[*corev1.ConfigMap]{Items: items, ResourceVersion: version, Continue: next}}
}

func event(kind watch.EventType, version string) watch.Event {
	return watch.Event{Type: kind, Object: configMap("a", "u", version)}
}

func errorEvent(err *apierrors.StatusError) watch.Event {
	return watch.Event{Type: watch.Error, Object: &err.ErrStatus}
}

const firstList = `list version="" match="" limit=500 continue=""`

func watchAt(version string) string { return fmt.Sprintf("watch version=%q bookmarks=true", version) }

func TestReflector(t *testing.T) {
	tests := map[string]struct {
		config   Config
		replies  []reply
		requests []string
		calls    []string
	}{
		"lists in pages, which become one state": {
			config:  Config{PageSize: 2},
			replies: []reply{page("5", "next", "a", "b"), page("5", "", "c")},
			requests: []string{
				`list version="" match="" limit=2 continue=""`, `list version="" match="" limit=2 continue="next"`, watchAt("5"),
			},
			calls: []string{"replace 3 at 5"},
		},
		"lists without pages": {
			config:   Config{PageSize: -1},
			replies:  []reply{page("5", "")},
			requests: []string{`list version="" match="" limit=0 continue=""`, watchAt("5")},
			calls:    []string{"replace 0 at 5"},
		},
		"an expired page: the first pages are dropped": {
			replies: []reply{page("5", "next", "a"), {err: apierrors.NewResourceExpired("x")}, page("6", "", "a", "b")},
			requests: []string{
				firstList, `list version="" match="" limit=500 continue="next"`, `list version="" match="" limit=0 continue=""`, watchAt("6"),
			},
			calls: []string{"replace 2 at 6"},
		},
		"watches and resumes after the last version seen": {
			replies: []reply{
				page("5", ""),
				{events: []watch.Event{event(watch.Added, "6"), event(watch.Modified, "7"), event(watch.Deleted, "8")}},
				{events: []watch.Event{event(watch.Bookmark, "11")}},
			},
			requests: []string{firstList, watchAt("5"), watchAt("8"), watchAt("11")},
			calls:    []string{"replace 0 at 5", "add u@6", "update u@7", "delete u@8", "bookmark 11"},
		},
		"410 in the stream: lists again, not older than seen": {
			replies: []reply{
				page("5", ""),
				{events: []watch.Event{event(watch.Added, "6"), errorEvent(apierrors.NewResourceExpired("x"))}},
				page("9", "", "a"),
			},
			requests: []string{firstList, watchAt("5"), `list version="6" match="NotOlderThan" limit=500 continue=""`, watchAt("9")},
			calls:    []string{"replace 0 at 5", "add u@6", "replace 1 at 9"},
		},
		"410 at the start of a watch": {
			replies:  []reply{page("5", ""), {err: apierrors.NewResourceExpired("x")}, page("9", "")},
			requests: []string{firstList, watchAt("5"), `list version="5" match="NotOlderThan" limit=500 continue=""`, watchAt("9")},
			calls:    []string{"replace 0 at 5", "replace 0 at 9"},
		},
		"503 and a refused connection: the same watch again": {
			replies:  []reply{page("5", ""), {err: apierrors.NewServiceUnavailable("x")}, {err: errors.New("connection refused")}},
			requests: []string{firstList, watchAt("5"), watchAt("5"), watchAt("5")},
			calls:    []string{"replace 0 at 5"},
		},
		"an error in the stream: the same watch again": {
			replies: []reply{
				page("5", ""), {events: []watch.Event{event(watch.Added, "6"), errorEvent(apierrors.NewInternalError(errors.New("x")))}},
			},
			requests: []string{firstList, watchAt("5"), watchAt("6")},
			calls:    []string{"replace 0 at 5", "add u@6"},
		},
		"what can't be used is skipped": {
			replies: []reply{
				{page: Page[*corev1.ConfigMap]{Items: []*corev1.ConfigMap{configMap("", "u", "1"), configMap("a", "u", "2")}, ResourceVersion: "5"}},
				{events: []watch.Event{
					{Type: watch.Added, Object: &corev1.Secret{}},
					{Type: watch.Added, Object: configMap("", "u", "6")},
					event("Unheard", "6"),
					event(watch.Bookmark, ""),
					event(watch.Modified, "7"),
				}},
			},
			requests: []string{firstList, watchAt("5"), watchAt("7")},
			calls:    []string{"replace 1 at 5", "update u@7"},
		},
		"the options can be changed": {
			config:  Config{ListOptions: func(opts *metav1.ListOptions) { opts.LabelSelector = "app=web" }},
			replies: []reply{page("5", "next"), page("5", "")},
			requests: []string{
				firstList + " selector=app=web", `list version="" match="" limit=500 continue="next" selector=app=web`, watchAt("5") + " selector=app=web",
			},
			calls: []string{"replace 0 at 5"},
		},
		"a list in pages after 410: a token carries the version": {
			replies: []reply{page("5", ""), {err: apierrors.NewResourceExpired("x")}, page("9", "next"), page("9", "")},
			requests: []string{
				firstList, watchAt("5"), `list version="5" match="NotOlderThan" limit=500 continue=""`,
				`list version="" match="" limit=500 continue="next"`, watchAt("9"),
			},
			calls: []string{"replace 0 at 5", "replace 0 at 9"},
		},
		"a watch that is refused for good": {
			replies:  []reply{page("5", ""), {err: apierrors.NewBadRequest("x")}, page("9", "")},
			requests: []string{firstList, watchAt("5"), `list version="5" match="NotOlderThan" limit=500 continue=""`, watchAt("9")},
			calls:    []string{"replace 0 at 5", "replace 0 at 9"},
		},
		"an object without a version": {
			replies:  []reply{page("5", ""), {events: []watch.Event{event(watch.Added, "6"), event(watch.Modified, "")}}},
			requests: []string{firstList, watchAt("5"), watchAt("6")},
			calls:    []string{"replace 0 at 5", "add u@6", "update u@"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scriptedServer{replies: test.replies}
				sink, _ := runScript(t, s, test.config)
				if !slices.Equal(s.requests, test.requests) {
					t.Errorf("requests are\n%q, want\n%q", s.requests, test.requests)
				}
				if !slices.Equal(sink.calls, test.calls) {
					t.Errorf("the sink got %q, want %q", sink.calls, test.calls)
				}
			})
		})
	}
}

func TestReflectorCountsWhatItDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scriptedServer{replies: []reply{
			page("5", "", "a", "b"),
			{events: []watch.Event{event(watch.Modified, "6"), event("Unheard", "7"), event(watch.Bookmark, "8")}},
			{events: []watch.Event{{}}}, // stays open
		}}
		_, got := runScript(t, s, Config{})
		got.LastList, got.LastEvent, got.LastBookmark, got.Fresh = time.Time{}, time.Time{}, time.Time{}, time.Time{}
		want := Status{
			Lists: 1, Listed: 2, Watches: 2, Events: 2, Bookmarks: 1, Skipped: 1,
			Relists: map[string]int{"start": 1}, Endings: map[string]int{"list complete": 1, "watch closed": 1},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("status is %+v, want %+v", got, want)
		}
	})
}

// The wait is random between once and twice the back-off, so each has its bounds.
func TestReflectorBacksOff(t *testing.T) {
	refused := reply{err: errors.New("connection refused")}
	slowDown := func(seconds int) reply { return reply{err: apierrors.NewTooManyRequests("x", seconds)} }
	tests := map[string]struct {
		config  Config
		replies []reply
		want    []time.Duration // between the requests, at least; at most twice
	}{
		"doubling":                  {Config{}, []reply{refused, refused, refused}, []time.Duration{800 * time.Millisecond, 1600 * time.Millisecond, 3200 * time.Millisecond}},
		"up to the limit":           {Config{MinBackoff: time.Second, MaxBackoff: 3 * time.Second}, []reply{refused, refused, refused, refused}, []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 3 * time.Second}},
		"as the server asks":        {Config{}, []reply{slowDown(20)}, []time.Duration{20 * time.Second}},
		"not longer than the limit": {Config{MaxBackoff: 10 * time.Second}, []reply{slowDown(3600)}, []time.Duration{10 * time.Second}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scriptedServer{replies: test.replies}
				runScript(t, s, test.config)
				for n, want := range test.want {
					if got := s.times[n+1].Sub(s.times[n]); got < want || got > 2*want {
						t.Errorf("wait %d is %v, want %v to %v", n, got, want, 2*want)
					}
				}
			})
		})
	}
}

// Clients that were all refused at once do not come back at once.
func TestTheWaitIsRandom(t *testing.T) {
	for name, refusal := range map[string]error{
		"back-off": errors.New("connection refused"), "Retry-After": apierrors.NewTooManyRequests("x", 20), "the limit": apierrors.NewTooManyRequests("x", 3600),
	} {
		t.Run(name, func(t *testing.T) {
			waits := map[time.Duration]bool{}
			for range 5 {
				synctest.Test(t, func(t *testing.T) {
					s := &scriptedServer{replies: []reply{{err: refusal}}}
					runScript(t, s, Config{})
					waits[s.times[1].Sub(s.times[0])] = true
				})
			}
			if len(waits) < 2 {
				t.Errorf("five clients have all waited %v", waits)
			}
		})
	}
}

// The server ends a watch after the time-out or up to twice of it; zero would mean as late as it likes.
func TestReflectorAsksForATimeout(t *testing.T) {
	tests := map[string]struct {
		timeout     time.Duration
		least, most int64 // seconds
	}{
		"default":        {0, 300, 600},
		"negative":       {-time.Second, 300, 600},
		"of choice":      {10 * time.Second, 10, 20},
		"below a second": {time.Millisecond, 1, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got *int64
				s := &scriptedServer{replies: []reply{page("5", "")}}
				runScript(t, s, Config{WatchTimeout: test.timeout, ListOptions: func(opts *metav1.ListOptions) { got = opts.TimeoutSeconds }})
				if got == nil || *got < test.least || *got > test.most {
					t.Errorf("the time-out is %v s, want %d to %d", got, test.least, test.most)
				}
			})
		})
	}
}

func TestReflectorStopsWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scriptedServer{replies: []reply{{err: errors.New("connection refused")}}}
		r := NewReflector(s, Sink[*corev1.ConfigMap](&recorder{}), Config{MinBackoff: time.Hour, MaxBackoff: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r.Run(ctx) // returns, or the test deadlocks
	})
}
