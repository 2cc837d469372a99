package clientgo_test

import (
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// A recorder is a handler that writes down what it is told, as "add default/a@1".
type recorder struct {
	mu      sync.Mutex
	entries []string
	first   any // what the first call was about
}

func (r *recorder) OnAdd(obj any, isInInitialList bool) {
	entry := "add " + describe(obj)
	if isInInitialList {
		entry += " initial"
	}
	r.record(entry, obj)
}

func (r *recorder) OnUpdate(oldObj, newObj any) {
	r.record("update "+describe(oldObj)+" to "+describe(newObj), newObj)
}

func (r *recorder) OnDelete(obj any) {
	if tombstone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		r.record(fmt.Sprintf("lost %s last %s", tombstone.Key, describe(tombstone.Obj)), obj)
		return
	}
	r.record("delete "+describe(obj), obj)
}

// Want fails the test unless exactly these entries were written since the last call.
func (r *recorder) want(t tester, entries ...string) {
	t.Helper()
	settle()
	if got := r.take(); !slices.Equal(got, entries) {
		t.Errorf("the handler was told %q, want %q", got, entries)
	}
}

// WantUnordered is want for entries about several objects, between which there is no order.
func (r *recorder) wantUnordered(t tester, entries ...string) {
	t.Helper()
	settle()
	got := r.take()
	slices.Sort(got)
	slices.Sort(entries)
	if !slices.Equal(got, entries) {
		t.Errorf("the handler was told %q, want %q in any order", got, entries)
	}
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.entries
	r.entries = nil
	return taken
}

func (r *recorder) record(entry string, obj any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = append(r.entries, entry)
	if r.first == nil {
		r.first = obj
	}
}

func describe(obj any) string {
	accessor, err := meta.Accessor(obj)
	if err != nil {
		return fmt.Sprint(obj)
	}
	name := cache.MetaObjectToName(accessor).String()
	if uid := accessor.GetUID(); uid != "" {
		name += "#" + string(uid)
	}
	return name + "@" + accessor.GetResourceVersion()
}

// NewPod returns a pod in namespace default. Its resource version is the source's to set.
func newPod(name string, changes ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: name}}
	for _, change := range changes {
		change(p)
	}
	return p
}

func inNamespace(namespace string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Namespace = namespace }
}

func onNode(node string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.NodeName = node }
}

func atVersion(version string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.ResourceVersion = version }
}

func withUID(uid types.UID) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.UID = uid }
}

func withLabels(labels map[string]string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Labels = labels }
}

// Names returns the sorted names of objects.
func names(objs []any) []string {
	sorted := make([]string, 0, len(objs))
	for _, obj := range objs {
		accessor, err := meta.Accessor(obj)
		if err != nil {
			sorted = append(sorted, fmt.Sprint(obj))
			continue
		}
		sorted = append(sorted, accessor.GetName())
	}
	slices.Sort(sorted)
	return sorted
}

func wantNames(t tester, objs []any, want ...string) {
	t.Helper()
	if got := names(objs); !slices.Equal(got, want) {
		t.Errorf("got the objects %q, want %q", got, want)
	}
}

func wantStrings(t tester, got []string, want ...string) {
	t.Helper()
	sorted := slices.Sorted(slices.Values(got))
	if !slices.Equal(sorted, want) {
		t.Errorf("got %q, want %q", sorted, want)
	}
}

func wantError(t tester, err error, text string) {
	t.Helper()
	if err == nil || err.Error() != text {
		t.Errorf("got the error %v, want %q", err, text)
	}
}

func wantOK(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Panics tells whether f panics.
func panics(f func()) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	f()
	return false
}
