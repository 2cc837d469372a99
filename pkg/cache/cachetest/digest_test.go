package cachetest_test

import (
	"container/list"
	"runtime"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	machinery "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache/cachetest"
)

// unusual is an object of what objects usually are not made of.
type unusual struct {
	corev1.Pod
	Keys    map[types.NamespacedName]string
	Any     map[any]int
	List    *list.List // in which each element leads to each other one, on many ways
	Itself  *unusual
	Self    any
	Message *message
}

// A message does in its unexported fields what those of google.golang.org/protobuf do.
type message struct {
	Text      string
	sizeCache int
}

func (m *message) ProtoReflect() {}
func (m *message) Size() int     { m.sizeCache = len(m.Text); return m.sizeCache }

func newUnusual() *unusual {
	u := &unusual{
		Keys: make(map[types.NamespacedName]string), Any: map[any]int{-1: 1, "a": 2, 1.5: 3},
		List: list.New(), Message: &message{Text: "text"},
	}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		u.Keys[types.NamespacedName{Namespace: "ns", Name: name}] = name
	}
	for i := range 20 {
		u.List.PushBack(i)
	}
	u.Itself, u.Self = u, &u.Self
	return u
}

func TestUnusualTypes(t *testing.T) {
	for want, write := range map[string]func(*unusual){
		"":                          func(u *unusual) { _ = u.Message.Size() },
		"Message.Text":              func(u *unusual) { u.Message.Text = "" },
		"Keys[ns/c]":                func(u *unusual) { u.Keys[types.NamespacedName{Namespace: "ns", Name: "c"}] = "" },
		"Any[-1]":                   func(u *unusual) { u.Any[-1] = 0 },
		"List.root.next.next.Value": func(u *unusual) { u.List.Front().Next().Value = -1 },
	} {
		t.Run(want, func(t *testing.T) {
			d := cachetest.NewMutationDetector[*unusual]()
			u := cached(t, d, newUnusual())
			for range 10 {
				if found := d.Audit(); len(found) != 0 {
					t.Fatalf("found %v before", found)
				}
			}
			write(u)
			found := d.Audit()
			if want == "" && len(found) != 0 || want != "" && (len(found) != 1 || !slices.Contains(found[0].Fields, want)) {
				t.Errorf("found %v", found)
			}
			runtime.KeepAlive(u)
		})
	}
}

// object is the type of a variable for any object.
type object interface {
	machinery.Object
	metav1.Object
}

// A detector for it is of no use, and does no harm.
func TestInterfaceTypes(t *testing.T) {
	d := cachetest.DetectMutations[object](t)
	pod := cached[object](t, d, newPod("web"))
	pod.SetName("other")
}
