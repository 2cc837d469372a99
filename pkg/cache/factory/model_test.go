package factory_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/sluice-k8s/sluice/pkg/cache/factory"
)

// TestRandomLives lets informers come and go at random and compares with the naive model after each step.
func TestRandomLives(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Uint16(), 0, 60).Draw(rt, "steps")
		var wrong string
		synctest.Test(t, func(t *testing.T) { wrong = live(t, steps) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// A life is a factory with its naive model: who holds what.
type life struct {
	*testing.T

	f      *factory.Factory
	stop   func() // nil before Run
	ended  bool
	server *server
	scope  *factory.Scope
	held   []holding
}

// A holding is a lease that was not released, and what it is of.
type holding struct {
	lease podLease
	what  string // empty if its cluster was stopped
}

// live returns what went wrong, empty if nothing did.
func live(t *testing.T, steps []uint16) (wrong string) {
	t.Helper()
	l := &life{T: t, f: factory.New(patient()), server: newServer(), scope: newScope(t, "s", "x")}
	for n, step := range steps {
		what := l.step(int(step))
		synctest.Wait()
		if wrong := l.check(); wrong != "" {
			return fmt.Sprintf("after step %d, %s: %s", n, what, wrong)
		}
	}
	if l.stop != nil {
		l.stop()
	}
	if got := l.server.watching(); got != 0 {
		return fmt.Sprintf("%d watches are open after the end", got)
	}
	return ""
}

func (l *life) step(choice int) string {
	choice, argument := choice%16, choice/16
	switch {
	case choice < 7:
		return l.acquire(argument)
	case choice < 12:
		return l.release(argument)
	case choice == 12 && l.stop == nil:
		l.stop = start(l.T, l.f)
		return "run"
	case choice == 13 && l.stop != nil && argument%4 == 0:
		l.stop()
		l.ended = true
		return "stop"
	case choice == 14:
		return l.stopCluster(argument)
	case choice == 15:
		namespaces := []string{"x", "y", "z"}[:argument%4]
		if err := l.scope.SetNamespaces(namespaces...); err != nil {
			l.Error(err)
		}
		return fmt.Sprintf("rescope to %q", namespaces)
	}
	return "nothing"
}

func (l *life) acquire(choice int) string {
	cluster := []string{"east", "west"}[choice%2]
	options := []factory.Options{{}, {Namespaces: []string{"a", "b"}}, {LabelSelector: "app=web"}, {Scope: l.scope}}[choice/2%4]
	lease, err := factory.Acquire(l.f.Cluster(cluster), l.server.open, options)
	switch {
	case l.ended && err == nil:
		l.Error("acquired after the end")
	case !l.ended && err != nil:
		l.Error(err)
	case err == nil:
		l.held = append(l.held, holding{lease, lease.Identity().String()})
	}
	return fmt.Sprintf("acquire %d of %s", choice/2%4, cluster)
}

func (l *life) release(choice int) string {
	if len(l.held) == 0 {
		return "nothing"
	}
	n := choice % len(l.held)
	given := l.held[n]
	l.held = append(l.held[:n:n], l.held[n+1:]...)
	given.lease.Release()
	return "release " + given.what
}

func (l *life) stopCluster(choice int) string {
	cluster := []string{"east", "west"}[choice%2]
	l.f.Cluster(cluster).Stop()
	for n := range l.held {
		if strings.HasPrefix(l.held[n].what, cluster) {
			l.held[n].what = ""
		}
	}
	return "stop " + cluster
}

// check compares the factory with who holds what.
func (l *life) check() string {
	leases, watches := map[string]int{}, 0
	informers := map[string]podLease{}
	for _, h := range l.held {
		if h.what == "" || l.ended {
			continue
		}
		leases[h.what]++
		if first, ok := informers[h.what]; ok && first.Informer != h.lease.Informer {
			return h.what + " is not shared"
		}
		informers[h.what] = h.lease
	}
	for what := range leases {
		watches += l.watchesOf(what)
	}
	if l.stop == nil || l.ended {
		watches = 0
	}
	if got := l.server.watching(); got != watches {
		return fmt.Sprintf("%d watches are open, want %d", got, watches)
	}
	statuses := l.f.Statuses()
	for _, status := range statuses {
		if what := status.Identity.String(); status.Leases != leases[what] {
			return fmt.Sprintf("%s has %d leases, want %d", what, status.Leases, leases[what])
		}
	}
	if len(statuses) != len(leases) {
		return fmt.Sprintf("there are %d informers, want %d", len(statuses), len(leases))
	}
	return ""
}

func (l *life) watchesOf(what string) int {
	switch {
	case strings.Contains(what, "scope"):
		return len(l.scope.Namespaces())
	case strings.Contains(what, "namespaces"):
		return 2
	default:
		return 1
	}
}
