package factory_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/sluice-k8s/sluice/pkg/cache/factory"
)

func newScope(t *testing.T, name string, namespaces ...string) *factory.Scope {
	t.Helper()
	scope, err := factory.NewScope(name, namespaces...)
	if err != nil {
		t.Fatal(err)
	}
	return scope
}

func wantNamespaces(t *testing.T, f *factory.Factory, of int, want ...string) {
	t.Helper()
	status := f.Statuses()[of]
	if !slices.Equal(status.Namespaces, want) || status.Objects != len(want) {
		t.Errorf("%v reads %q and has %d objects, want %q", status.Identity, status.Namespaces, status.Objects, want)
	}
}

func TestScopeChangesAllItsInformers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, stop := begin(t, patient())
		defer stop()
		east, west := newServer(), newServer()
		scope := newScope(t, "tenants", "b", "a")
		acquire(t, f.Cluster("east"), east, factory.Options{Scope: scope})
		acquire(t, f.Cluster("east"), east, factory.Options{Scope: scope}) // the same
		fixed := acquire(t, f.Cluster("east"), east, factory.Options{Namespaces: []string{"a", "b"}})
		acquire(t, f.Cluster("west"), west, factory.Options{Scope: scope})
		synctest.Wait()

		wantNone(t, scope.SetNamespaces("c", "b"))
		synctest.Wait()
		wantNamespaces(t, f, 0, "b", "c")
		wantNamespaces(t, f, 2, "b", "c")
		if got := f.Statuses()[1]; got.Identity != fixed.Identity() || got.Objects != 2 || got.Namespaces[0] != "a" {
			t.Errorf("who did not ask for the scope reads %q", got.Namespaces)
		}
		lists := west.listed()
		slices.Sort(lists)
		if want := []string{"a", "b", "c"}; !slices.Equal(lists, want) {
			t.Errorf("%q were listed, want %q: what stays is not disturbed", lists, want)
		}
		if got := scope.Namespaces(); !slices.Equal(got, []string{"b", "c"}) {
			t.Errorf("the scope has %q", got)
		}
	})
}

func TestScopeThatIsEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, stop := begin(t, patient())
		defer stop()
		s, scope := newServer(), newScope(t, "tenants")
		acquire(t, f.Cluster(""), s, factory.Options{Scope: scope})
		wantNone(t, f.WaitForSync(t.Context()))
		wantNone(t, f.Ready())
		wantNone(t, scope.SetNamespaces("a"))
		synctest.Wait()
		wantNamespaces(t, f, 0, "a")
		wantNone(t, scope.SetNamespaces())
		wantNamespaces(t, f, 0)
		if got := s.watching(); got != 0 {
			t.Errorf("%d watches are open of no namespace", got)
		}
	})
}

func TestScopeForgetsWhatIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, scope := newServer(), newScope(t, "tenants", "a")
		f := factory.New(patient())
		before := acquire(t, f.Cluster(""), s, factory.Options{Scope: scope})
		wantNone(t, scope.SetNamespaces("b")) // before Run
		before.Release()
		stop := start(t, f)
		during := acquire(t, f.Cluster(""), s, factory.Options{Scope: scope})
		synctest.Wait()
		wantNamespaces(t, f, 0, "b")
		during.Release()
		left := acquire(t, f.Cluster(""), s, factory.Options{Scope: scope})
		stop()
		wantNone(t, scope.SetNamespaces("c", "d"))
		for _, lease := range []podLease{before, during, left} {
			if got := lease.Status().Lists; got > 1 {
				t.Errorf("a lease that has ended has listed %d times", got)
			}
		}
		if slices.Contains(s.opened, "c") || s.watching() != 0 {
			t.Errorf("after the end %q were opened: the scope has not forgotten who ended", s.opened)
		}
	})
}

func TestScopeWithAWrongName(t *testing.T) {
	scope := newScope(t, "tenants", "a")
	if err := scope.SetNamespaces("b", "No Namespace"); err == nil {
		t.Error("a wrong namespace gave no error")
	}
	if got := scope.Namespaces(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("after an error the scope has %q", got)
	}
}
