package integration_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/klog/v2/textlogger"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/pkg/cache"
)

// A scene is an informer that runs until the test ends, beside the truth.
type scene[T cache.Object] struct {
	t        *testing.T
	informer *cache.Informer[T]
	replay   *replay[T]
	truth    dynamic.ResourceInterface
}

// open runs an informer. The truth is what the administrator's dynamic client lists.
func open[T cache.Object](t *testing.T, source cache.ListerWatcher[T], truth dynamic.ResourceInterface, config cache.Config) *scene[T] {
	t.Helper()
	config.MinBackoff, config.MaxBackoff = 20*time.Millisecond, 200*time.Millisecond
	config.InitialEventsTimeout = controlplanetest.Patience // a server on a slow machine does know WatchList
	config.Logger = textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(t.Output())))
	s := &scene[T]{t, cache.NewInformer(source, config), newReplay[T](), truth}
	s.informer.Subscribe("replay", s.replay.handle)
	stopped := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { stopped <- s.informer.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	return s
}

// opened is open, and waits until the informer has synced.
func opened[T cache.Object](t *testing.T, source cache.ListerWatcher[T], truth dynamic.ResourceInterface, config cache.Config) *scene[T] {
	t.Helper()
	s := open(t, source, truth, config)
	s.sync()
	return s
}

func (s *scene[T]) sync() {
	s.t.Helper()
	controlplanetest.Await(s.t, s.informer.WaitForSync)
}

// converges waits until the cache equals a list, and the events that were told give the same.
func (s *scene[T]) converges() {
	s.t.Helper()
	controlplanetest.Await(s.t, func(ctx context.Context) error {
		want, err := s.list(ctx)
		if err != nil {
			return err
		}
		told, wrong := s.replay.content()
		if len(wrong) > 0 {
			s.t.Fatalf("events contradict each other: %q", wrong)
		}
		if err := differ("cache", s.content(), want); err != nil {
			return fmt.Errorf("%w; status %+v", err, s.status())
		}
		return differ("replay", told, want)
	})
}

// list reads the server at its most recent version.
func (s *scene[T]) list(ctx context.Context) (content, error) {
	list, err := s.truth.List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	c := make(content)
	for n := range list.Items {
		c[cache.KeyOf(&list.Items[n])] = cache.IdentityOf(&list.Items[n])
	}
	return c, nil
}

func (s *scene[T]) content() content {
	c := make(content)
	for obj := range s.informer.Indexer().All() {
		c[cache.KeyOf(obj)] = cache.IdentityOf(obj)
	}
	return c
}

func differ(who string, got, want content) error {
	if maps.Equal(got, want) {
		return nil
	}
	var lines []string
	for key, id := range want {
		if got[key] != id {
			lines = append(lines, fmt.Sprintf("%s: has %v, the server %v", key, got[key], id))
		}
	}
	for key, id := range got {
		if _, ok := want[key]; !ok {
			lines = append(lines, fmt.Sprintf("%s: has %v, the server none", key, id))
		}
	}
	return fmt.Errorf("the %s differs: %s", who, strings.Join(lines, "; "))
}

func (s *scene[T]) status() cache.Status { return s.informer.Status() }

// ended waits until a request has ended so, given as "watch closed", n times.
func (s *scene[T]) ended(how string, n int) {
	s.t.Helper()
	controlplanetest.Await(s.t, func(context.Context) error {
		if got := s.status(); got.Endings[how] < n {
			return fmt.Errorf("%q %d times, want %d: %+v", how, got.Endings[how], n, got)
		}
		return nil
	})
}

// connected waits until a watch is open.
func (s *scene[T]) connected() {
	s.t.Helper()
	controlplanetest.AwaitTrue(s.t, "connected", func() bool { return s.status().Connected })
}

// ready waits until the informer is ready.
func (s *scene[T]) ready() {
	s.t.Helper()
	controlplanetest.Await(s.t, func(context.Context) error { return s.informer.Ready() })
}

// unready waits until it is not, for a reason that contains the words.
func (s *scene[T]) unready(words string) {
	s.t.Helper()
	controlplanetest.Await(s.t, func(context.Context) error {
		if err := s.informer.Ready(); err == nil || !strings.Contains(err.Error(), words) {
			return fmt.Errorf("ready: %w; want %q", err, words)
		}
		return nil
	})
}

// relists fails the test unless all objects were asked for because of just these causes, each at most so often.
func (s *scene[T]) relists(permitted map[string]int) {
	s.t.Helper()
	for cause, n := range s.status().Relists {
		if n > permitted[cause] {
			s.t.Errorf("%d lists because of %q, at most %d are permitted: %+v", n, cause, permitted[cause], s.status())
		}
	}
}

// listed fails the test unless all objects were asked for because of the cause.
func (s *scene[T]) listed(cause string) {
	s.t.Helper()
	if s.status().Relists[cause] == 0 {
		s.t.Errorf("no list because of %q: %+v", cause, s.status())
	}
}
