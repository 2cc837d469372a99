package cache

import (
	"testing"
	"testing/synctest"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

func wantQuarantine(t *testing.T, i *Informer[cm], entries ...string) {
	t.Helper()
	synctest.Wait()
	got := i.Indexer().Quarantined()
	if now := i.Status().Quarantined; len(got) != len(entries) || now != len(entries) {
		t.Fatalf("in quarantine are %v, counted %d, want %q", got, now, entries)
	}
	for n, q := range got {
		if entry := q.Key.Name + "@" + q.ResourceVersion; entry != entries[n] {
			t.Errorf("in quarantine is %s, want %s", entry, entries[n])
		}
	}
}

func wantCached(t *testing.T, i *Informer[cm], name, version string) {
	t.Helper()
	obj, ok := i.Indexer().Get(nsKey(name))
	if ok != (version != "") || ok && obj.ResourceVersion != version {
		t.Errorf("the cache has %v, want %s@%s", obj, name, version)
	}
}

// An object that can't be decoded stays as it was, and everything else goes on.
func TestUndecodable(t *testing.T) {
	for name, prepare := range map[string]func(*simulator){"list": abListed, "initial events": ab} {
		t.Run(name, func(t *testing.T) {
			var seen log
			simulate(t, Config{}, prepare, func(t *testing.T, s *simulator, i *Informer[cm]) {
				i.Subscribe("s", seen.handle)
				seen.next(t, "Added a@11 initial", "Added b@12 initial")
				s.change(func() { s.broken[nsKey("a")], s.broken[nsKey("c")] = true, true })
				s.put("ns", "a") // @13, modified
				s.put("ns", "c") // @14, added
				wantQuarantine(t, i, "a@13", "c@14")
				wantCached(t, i, "a", "11")
				wantCached(t, i, "c", "")
				if got := i.Indexer().ResourceVersion(); got != "14" {
					t.Errorf("the cache is at %s, want 14", got)
				}

				s.cut("", apierrors.NewResourceExpired("too old"))
				seen.next(t)
				wantQuarantine(t, i, "a@13", "c@14")
				wantCached(t, i, "a", "11") // a relist keeps it

				s.change(func() { s.broken[nsKey("c")] = false })
				s.put("ns", "c")
				seen.next(t, "Added c@15")
				wantQuarantine(t, i, "a@13")

				s.remove("ns", "a") // whose final state can't be decoded either
				seen.next(t, "Deleted a@11 unseen")
				wantQuarantine(t, i)
				if got := i.Indexer().ResourceVersion(); got != "16" || i.Status().Refused != 0 {
					t.Errorf("the cache is at %s, want 16; %d refused", got, i.Status().Refused)
				}
			})
		})
	}
}

// An object that was deleted and created again unseen, and can't be decoded, does not keep the one before.
func TestUndecodableSuccessor(t *testing.T) {
	var seen log
	simulate(t, Config{}, abListed, func(t *testing.T, s *simulator, i *Informer[cm]) {
		i.Subscribe("s", seen.handle)
		seen.next(t, "Added a@11 initial", "Added b@12 initial")
		s.change(func() { s.drops = func(StreamEvent[cm]) bool { return true } })
		s.remove("ns", "a")
		s.change(func() { s.broken[nsKey("a")] = true })
		s.put("ns", "a")
		s.cut("", apierrors.NewResourceExpired("too old"))
		seen.next(t, "Deleted a@11 unseen")
		wantQuarantine(t, i, "a@14")
	})
}

func TestUndecodableAndNameless(t *testing.T) {
	simulate(t, Config{}, abListed, func(t *testing.T, s *simulator, i *Informer[cm]) {
		nameless := &UndecodableError{Type: watch.Modified, Err: errBroken}
		s.cut("", nameless) // which does not end the stream
		s.cut("", &UndecodableError{Type: watch.Bookmark, Err: errBroken})
		s.put("ns", "c")
		s.follows(t, i, "ns")
		wantQuarantine(t, i)
		if got := i.Status(); got.Skipped != 2 || got.Watches != 1 {
			t.Errorf("the status is %+v, want 2 skipped and one watch", got)
		}
		s.change(func() { s.broken[types.NamespacedName{Namespace: "ns"}] = true })
		s.objects[types.NamespacedName{Namespace: "ns"}] = configMap("", "u", "5")
		s.cut("", apierrors.NewResourceExpired("too old"))
		synctest.Wait()
		wantQuarantine(t, i)
		if got := i.Status(); got.Skipped != 3 || got.Listed != 3 {
			t.Errorf("the status is %+v, want 3 skipped and 3 listed", got)
		}
	})
}
