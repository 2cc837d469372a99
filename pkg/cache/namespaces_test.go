package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// simulateIn runs an informer of namespaces on a simulator, which has x in each of a, b and c, inside synctest.
func simulateIn(
	t *testing.T, config Config, namespaces []string, prepare func(*simulator), act func(trial, *simulator, *NamespacedInformer[cm]),
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := newSimulator()
		for _, namespace := range []string{"a", "b", "c"} {
			server.put(namespace, "x") // @11 to @13
		}
		prepare(server)
		i, err := NewNamespacedInformer(server.in, namespaces, config)
		if err != nil {
			t.Fatal(err)
		}
		stop := start(t, i.Informer)
		synctest.Wait()
		server.asked()
		act(trial{t}, server, i)
		stop()
		if len(server.streams) != 0 {
			t.Errorf("%d streams are open after the end", len(server.streams))
		}
	})
}

func asIs(*simulator) {}

// forbids lets nobody read a namespace while the switch is on.
func forbids(namespace string, on *bool) func(string, string) error {
	return func(_, asked string) error {
		if asked == namespace && *on {
			return apierrors.NewForbidden(pods, "", errors.New("no rights"))
		}
		return nil
	}
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error is %v, want it to say %q", err, part)
		}
	}
}

// nextSorted is next for events of several namespaces, which come in no order.
func (l *log) nextSorted(t *testing.T, entries ...string) {
	t.Helper()
	synctest.Wait()
	l.mu.Lock()
	slices.Sort(l.entries)
	l.mu.Unlock()
	l.next(t, entries...)
}

func TestNamespaces(t *testing.T) {
	simulateIn(t, Config{}, []string{"a", "b", "a"}, asIs, func(t trial, s *simulator, i *NamespacedInformer[cm]) {
		if !i.HasSynced() || !slices.Equal(i.Namespaces(), []string{"a", "b"}) {
			t.Errorf("synced: %v, with the namespaces %q", i.HasSynced(), i.Namespaces())
		}
		s.put("a", "y")
		s.put("c", "y")
		s.remove("b", "x")
		s.follows(t.T, i.Informer, "a", "b")
		if got := i.Status(); got.Lists != 2 || got.Watches != 2 || got.Relists["start"] != 2 || !got.Connected || i.Ready() != nil {
			t.Errorf("the status is %+v", got)
		}
		one, ok := i.StatusOf("b")
		if _, other := i.StatusOf("c"); !ok || other || one.Lists != 1 || one.Events != 1 {
			t.Errorf("the status of b is %+v", one)
		}
	})
}

func TestOneNamespaceIsDenied(t *testing.T) {
	denied := true
	simulateIn(t, Config{Name: "settings"}, []string{"a", "b"}, func(s *simulator) { s.deny = forbids("b", &denied) },
		func(t trial, s *simulator, i *NamespacedInformer[cm]) {
			time.Sleep(12 * time.Second)
			over, cancel := context.WithCancel(t.Context())
			cancel()
			want := []string{`"settings"`, `namespace "b"`, "for 12s", "no rights"}
			wantError(t.T, i.WaitForSync(over), append(want, "context canceled")...)
			wantError(t.T, i.Ready(), append(want, "first list")...)
			wantCachedIn(t.T, i, "a", "x", "11") // what there is can be read
			s.change(func() { denied = false })
			time.Sleep(time.Minute)
			if err := errors.Join(i.WaitForSync(over), i.Ready()); err != nil {
				t.Errorf("it may read again, but: %v", err)
			}
			s.follows(t.T, i.Informer, "a", "b")
		})
}

func wantCachedIn(t *testing.T, i *NamespacedInformer[cm], namespace, name, version string) {
	t.Helper()
	obj := configMap(name, "", "")
	obj.Namespace = namespace
	if got, ok := i.Indexer().Get(KeyOf(obj)); !ok || got.ResourceVersion != version {
		t.Errorf("the cache has %v, want version %s", got, version)
	}
}

func TestNamespacesChange(t *testing.T) {
	var seen log
	denied := true
	simulateIn(t, Config{}, []string{"a", "b"}, func(s *simulator) { s.deny = forbids("d", &denied) },
		func(t trial, s *simulator, i *NamespacedInformer[cm]) {
			i.Subscribe("s", seen.handle)
			seen.nextSorted(t.T, "Added x@11 initial", "Added x@12 initial")
			set := func(namespaces ...string) {
				if err := i.SetNamespaces(namespaces...); err != nil {
					t.Error(err)
				}
				synctest.Wait()
			}
			set("c", "b")
			seen.nextSorted(t.T, "Added x@13", "Deleted x@11 unseen")
			wantRequests(t.T, s, "list c@", "watch c@13")
			s.follows(t.T, i.Informer, "b", "c")
			s.put("a", "x")
			seen.next(t.T)

			set("b", "d", "c")
			wantError(t.T, i.Ready(), `namespace "d"`, "no rights")
			s.put("b", "y") // the others are of use meanwhile
			seen.next(t.T, "Added y@15")
			s.change(func() { denied = false })
			time.Sleep(time.Minute)
			if err := i.Ready(); err != nil {
				t.Error(err)
			}
			set()
			s.follows(t.T, i.Informer)
			if err := i.Ready(); err != nil || len(s.streams) != 0 || i.Status().Connected {
				t.Errorf("without namespaces it is %v, with %d streams", err, len(s.streams))
			}
			set("a")
			s.follows(t.T, i.Informer, "a")
		})
}

func TestNoNamespaceAtAll(t *testing.T) {
	simulateIn(t, Config{}, nil, asIs, func(t trial, _ *simulator, i *NamespacedInformer[cm]) {
		if err := errors.Join(i.WaitForSync(t.Context()), i.Ready()); err != nil {
			t.Errorf("there is nothing to wait for, but: %v", err)
		}
	})
	if _, err := NewNamespacedInformer(newSimulator().in, []string{"a", ""}, Config{}); !errors.Is(err, errAllNamespaces) {
		t.Errorf("an empty namespace is %v", err)
	}
}

// Namespaces may come and go before, while and after the informer begins to run.
func TestNamespacesChangeWhileItStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newSimulator()
		i, err := NewNamespacedInformer(server.in, []string{"a", "b"}, Config{})
		if err != nil {
			t.Fatal(err)
		}
		changed := make(chan error, 2)
		go func() { changed <- i.SetNamespaces("b", "c") }()
		stop := start(t, i.Informer)
		go func() { changed <- i.SetNamespaces("c") }()
		if err := errors.Join(<-changed, <-changed, i.SetNamespaces("c")); err != nil {
			t.Error(err)
		}
		server.put("c", "x")
		server.follows(t, i.Informer, "c")
		if len(server.streams) != 1 || !i.HasSynced() {
			t.Errorf("%d streams are open, want one; synced: %v", len(server.streams), i.HasSynced())
		}
		go func() { changed <- i.SetNamespaces("d") }()
		stop()
		if err := errors.Join(<-changed, i.SetNamespaces("e")); err != nil || len(server.streams) != 0 {
			t.Errorf("after the end it is %v, and %d streams are open", err, len(server.streams))
		}
	})
}

// A namespace that is about to go is not started.
func TestANamespaceGoesBeforeItStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newSimulator()
		i, err := NewNamespacedInformer(server.in, []string{"a", "b"}, Config{})
		if err != nil {
			t.Fatal(err)
		}
		i.scopes[0].removed = true // where SetNamespaces is when Run begins
		stop := start(t, i.Informer)
		wantRequests(t, server, "list b@", "watch b@10")
		stop()
	})
}

// A relist of one namespace lets no object of another out of quarantine.
func TestTheQuarantineOfNamespaces(t *testing.T) {
	simulateIn(t, Config{}, []string{"a", "b"}, asIs, func(t trial, s *simulator, i *NamespacedInformer[cm]) {
		bad := types.NamespacedName{Namespace: "a", Name: "x"}
		s.change(func() { s.broken[bad] = true })
		s.put("a", "x")
		s.cut("b", apierrors.NewResourceExpired("too old"))
		wantQuarantine(t.T, i.Informer, "x@14")
		s.cut("a", apierrors.NewResourceExpired("too old"))
		wantQuarantine(t.T, i.Informer, "x@14")
		if err := i.SetNamespaces("b"); err != nil {
			t.Error(err)
		}
		wantQuarantine(t.T, i.Informer)
	})
}

// The version of the cache is one that all namespaces have reached.
func TestTheVersionOfNamespaces(t *testing.T) {
	simulateIn(t, Config{}, []string{"a", "b"}, asIs, func(t trial, s *simulator, i *NamespacedInformer[cm]) {
		written := s.put("a", "x").ResourceVersion
		waiting := waitFor(t.Context(), i.Indexer(), written)
		synctest.Wait()
		if got := i.Indexer().ResourceVersion(); got != "13" || len(waiting) > 0 {
			t.Errorf("the cache is at %s, but namespace b at 13", got)
		}
		s.bookmark()
		if err := <-waiting; err != nil {
			t.Error(err)
		}
		late := s.put("a", "x").ResourceVersion
		waiting = waitFor(t.Context(), i.Indexer(), late)
		synctest.Wait()
		if err := i.SetNamespaces("a"); err != nil { // the one that is behind goes
			t.Error(err)
		}
		if err := <-waiting; err != nil {
			t.Error(err)
		}
		if got := i.Indexer().ResourceVersion(); got != late {
			t.Errorf("the cache is at %s, want %s", got, late)
		}
	})
}

// One namespace finds that the versions have gone back; then no other is believed any more.
func TestTheEpochOfNamespaces(t *testing.T) {
	simulateIn(t, Config{}, []string{"a", "b", "c"}, asIs, func(t trial, s *simulator, i *NamespacedInformer[cm]) {
		s.put("b", "x") // @14
		s.put("a", "x") // @15
		s.put("c", "x") // @16
		s.bookmark()
		before := waitFor(t.Context(), i.Indexer(), "17")
		synctest.Wait()
		s.restore(13)
		written := s.put("b", "x").ResourceVersion // @14 again, and another
		denied := true
		s.change(func() { s.deny = forbids("b", &denied) })
		s.cut("a", apierrors.NewResourceExpired("too old"))
		time.Sleep(2 * time.Second)
		if err := <-before; !errors.Is(err, ErrNewEpoch) {
			t.Errorf("who waited before got %v", err)
		}
		if got, _ := i.StatusOf("c"); got.Relists["versions went back"] != 1 || got.Lists != 2 {
			t.Errorf("c was not told: its relists are %v", got.Relists)
		}
		after := waitFor(t.Context(), i.Indexer(), written)
		time.Sleep(time.Minute)
		if got := i.Indexer().ResourceVersion(); got != "" || len(after) > 0 {
			t.Errorf("the cache claims version %q, but what it has of b is of another epoch", got)
		}
		s.change(func() { denied = false })
		time.Sleep(time.Minute)
		if err := <-after; err != nil {
			t.Errorf("who waited in the new epoch got %v", err)
		}
		s.follows(t.T, i.Informer, "a", "b", "c")
		for obj := range i.Indexer().InNamespace("b") {
			if obj.Data["epoch"] != "1" {
				t.Error("the cache has the state of before, which has the same UID and version")
			}
		}
		if got := i.Status().Epochs; got != 1 {
			t.Errorf("%d epochs are counted, want 1", got)
		}
		s.restore(12)
		time.Sleep(5 * time.Minute)
		s.follows(t.T, i.Informer, "a", "b", "c")
		if got := i.Status(); got.Epochs != 2 {
			t.Errorf("%d epochs are counted, want 2", got.Epochs)
		}
	})
}

// While there is no namespace nobody can see the versions go back. The first list of the next one shows it.
func TestTheEpochBetweenNamespaces(t *testing.T) {
	simulateIn(t, Config{}, []string{"a"}, asIs, func(t trial, s *simulator, i *NamespacedInformer[cm]) {
		s.put("a", "x") // @14
		synctest.Wait()
		for _, namespaces := range [][]string{nil, {"a"}} {
			if err := i.SetNamespaces(namespaces...); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			if namespaces == nil {
				s.restore(12)
			}
		}
		s.follows(t.T, i.Informer, "a")
		if got := i.Indexer().ResourceVersion(); got != "12" || i.Status().Epochs != 1 {
			t.Errorf("the cache is at %s, want 12; %d epochs are counted, want 1", got, i.Status().Epochs)
		}
	})
}

// A namespace that goes takes no resync with it.
func TestAResyncOutlivesItsNamespace(t *testing.T) {
	var seen log
	simulateIn(t, Config{}, []string{"a", "b"}, asIs, func(t trial, s *simulator, i *NamespacedInformer[cm]) {
		i.SubscribeWith(SubscribeOptions{Resync: time.Minute}, seen.handle)
		seen.nextSorted(t.T, "Added x@11 initial", "Added x@12 initial")
		first := i.scopes[0]
		first.stop() // as SetNamespaces does; now a resync is due
		time.Sleep(time.Minute)
		seen.next(t.T)
		if err := i.SetNamespaces("b"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got := fmt.Sprint(seen.read()); !strings.Contains(got, "Updated x@12 resync") || !strings.Contains(got, "Deleted x@11") {
			t.Errorf("the handler saw %s", got)
		}
	})
}
