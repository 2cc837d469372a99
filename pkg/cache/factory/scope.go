package factory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// A Scope is a set of namespaces that may change, for all informers at once that were acquired with it. Who acquires with a
// scope agrees to that; who does not, by [Options.Namespaces], shares no informer with those who do, so that nobody's
// namespaces change unasked. A scope may be used for any number of types and clusters. Its methods may be called
// concurrently. Create one with [NewScope].
type Scope struct {
	name     string
	changing sync.Mutex // held while the informers change

	mu         sync.Mutex
	namespaces []string // never changed in place
	entries    []*entry
}

// NewScope returns a scope of the namespaces, any number of them, under a name, which must not be empty: it is part of the
// [Identity] of informers. An informer of a scope without namespaces reads nothing and is synced as soon as it runs.
func NewScope(name string, namespaces ...string) (*Scope, error) {
	if name == "" {
		return nil, errors.New("factory: the scope's name is empty")
	}
	s := &Scope{name: name}
	if err := s.SetNamespaces(namespaces...); err != nil {
		return nil, err
	}
	return s, nil
}

// Name returns the scope's name.
func (s *Scope) Name() string { return s.name }

// Namespaces returns the namespaces, in order.
func (s *Scope) Namespaces() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.namespaces)
}

// SetNamespaces makes the informers of the scope informers of these namespaces. Those that stay are not disturbed; see
// [cache.NamespacedInformer.SetNamespaces], also for what subscribers are told. Nothing of what has gone is read any more
// when it returns; [Factory.Ready] says when what has come is there. If a name is wrong nothing changes.
func (s *Scope) SetNamespaces(namespaces ...string) error {
	if _, err := joinNamespaces("namespaces", namespaces); err != nil {
		return fmt.Errorf("factory: scope %q: %w", s.name, err)
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	var errs []error
	for _, e := range s.set(inOrder(namespaces)) {
		errs = append(errs, e.rescope(namespaces...))
	}
	return errors.Join(errs...)
}

// set returns those who have to follow.
func (s *Scope) set(namespaces []string) []*entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.namespaces = namespaces
	return slices.Clone(s.entries)
}

// makeIn returns an informer of the scope's namespaces, which follows them.
func makeIn[T cache.Object](
	s *Scope, open func(namespace string) cache.ListerWatcher[T], config cache.Config, transforms []cache.Transform[T],
) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := makeSeparate(open, s.namespaces, config, transforms)
	if err == nil {
		s.entries = append(s.entries, e)
	}
	return e, err
}

func (s *Scope) leave(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = slices.DeleteFunc(s.entries, func(other *entry) bool { return other == e })
}

// inOrder returns the namespaces sorted, each once.
func inOrder(namespaces []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(namespaces)))
}

// joinNamespaces returns the namespaces in one string, or an error that says which is wrong.
func joinNamespaces(field string, namespaces []string) (string, error) {
	for n, namespace := range namespaces {
		if wrong := validation.IsDNS1123Label(namespace); len(wrong) > 0 {
			return "", fmt.Errorf("%s[%d] %q: %s", field, n, namespace, strings.Join(wrong, ", "))
		}
	}
	return strings.Join(inOrder(namespaces), ","), nil
}
