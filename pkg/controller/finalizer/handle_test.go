package finalizer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/controller/finalizer"
)

var pods = schema.GroupResource{Resource: "pods"}

// A server has one Pod, or none, and keeps to what API servers do with finalizers.
type server struct {
	pod     *corev1.Pod
	before  func() // each patch
	patches int
}

func (s *server) Get(_ context.Context, name string, _ metav1.GetOptions) (*corev1.Pod, error) {
	if s.pod == nil {
		return nil, apierrors.NewNotFound(pods, name)
	}
	return s.pod.DeepCopy(), nil
}

func (s *server) Patch(_ context.Context, name string, _ types.PatchType, data []byte, _ metav1.PatchOptions, _ ...string) (*corev1.Pod, error) {
	s.patches++
	if s.before != nil {
		s.before()
	}
	if s.pod == nil {
		return nil, apierrors.NewNotFound(pods, name)
	}
	var patch corev1.Pod
	if err := json.Unmarshal(data, &patch); err != nil {
		return nil, err
	}
	if patch.UID != s.pod.UID || patch.ResourceVersion != s.pod.ResourceVersion {
		return nil, apierrors.NewConflict(pods, name, errors.New("changed"))
	}
	patched := s.change(func(p *corev1.Pod) { p.Finalizers = patch.Finalizers })
	if patched.DeletionTimestamp != nil && len(patched.Finalizers) == 0 {
		s.pod = nil
	}
	return patched, nil
}

func (s *server) change(change func(*corev1.Pod)) *corev1.Pod {
	s.pod = s.pod.DeepCopy()
	version, _ := strconv.Atoi(s.pod.ResourceVersion)
	s.pod.ResourceVersion = strconv.Itoa(version + 1)
	change(s.pod)
	return s.pod.DeepCopy()
}

func deleted(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{} }

func with(finalizers ...string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Finalizers = append(p.Finalizers, finalizers...) }
}

const theirs = "example.com/theirs"

func TestHandle(t *testing.T) {
	again := func(s *server) { s.pod = pod(); s.pod.UID = "another" }
	tests := map[string]struct {
		prepare []func(*corev1.Pod) // of the Pod that is handled
		then    func(*server)       // what happens before the first patch
		want    string              // whether to go on, how often cleanup has run, the finalizers in the end, the error
	}{
		"new":                            {nil, nil, "true 0 [example.com/mine] <nil>"},
		"new, beside another":            {[]func(*corev1.Pod){with(theirs)}, nil, "true 0 [example.com/theirs example.com/mine] <nil>"},
		"there":                          {[]func(*corev1.Pod){with(mine)}, nil, "true 0 [example.com/mine] <nil>"},
		"deleted":                        {[]func(*corev1.Pod){with(mine), deleted}, nil, "false 1 gone <nil>"},
		"deleted, beside another":        {[]func(*corev1.Pod){with(theirs, mine), deleted}, nil, "false 1 [example.com/theirs] <nil>"},
		"deleted, not ours":              {[]func(*corev1.Pod){with(theirs), deleted}, nil, "false 0 [example.com/theirs] <nil>"},
		"another comes as we add":        {nil, func(s *server) { s.change(with(theirs)) }, "true 0 [example.com/theirs example.com/mine] <nil>"},
		"another comes as we remove":     {[]func(*corev1.Pod){with(mine), deleted}, func(s *server) { s.change(with(theirs)) }, "false 1 [example.com/theirs] <nil>"},
		"deleted as we add":              {[]func(*corev1.Pod){with(theirs)}, func(s *server) { s.change(deleted) }, "false 0 [example.com/theirs] <nil>"},
		"ours came, deleted as we add":   {nil, func(s *server) { s.change(with(mine)); s.change(deleted) }, "false 1 gone <nil>"},
		"gone as we add":                 {nil, func(s *server) { s.pod = nil }, "false 0 gone <nil>"},
		"gone as we remove":              {[]func(*corev1.Pod){with(mine), deleted}, func(s *server) { s.pod = nil }, "false 1 gone <nil>"},
		"another object as we add":       {nil, again, "false 0 [] conflict"},
		"another object as we remove":    {[]func(*corev1.Pod){with(mine), deleted}, again, "false 1 [] <nil>"},
		"removed by hand as we clean up": {[]func(*corev1.Pod){with(theirs, mine), deleted}, func(s *server) { s.change(func(p *corev1.Pod) { p.Finalizers = []string{theirs} }) }, "false 1 [example.com/theirs] <nil>"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := &server{pod: pod()}
			for _, prepare := range test.prepare {
				prepare(s.pod)
			}
			s.before = func() {
				if s.patches == 1 && test.then != nil {
					test.then(s)
				}
			}
			cleaned := 0
			_, proceed, err := finalizer.Handle(t.Context(), s, s.pod.DeepCopy(), mine, func(_ context.Context, p *corev1.Pod) error {
				cleaned++
				if p.DeletionTimestamp == nil {
					t.Error("cleaned up for an object that is not being deleted")
				}
				return nil
			})
			if got := fmt.Sprint(proceed, " ", cleaned, " ", s.state(), " ", short(err)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func (s *server) state() string {
	if s.pod == nil {
		return "gone"
	}
	return fmt.Sprint(s.pod.Finalizers)
}

func short(err error) string {
	if apierrors.IsConflict(err) {
		return "conflict"
	}
	return fmt.Sprint(err)
}

func TestConflictsAreBounded(t *testing.T) {
	for name, prepare := range map[string]func(*corev1.Pod){"add": with(), "remove": func(p *corev1.Pod) { with(mine)(p); deleted(p) }} {
		t.Run(name, func(t *testing.T) {
			s := &server{pod: pod()}
			prepare(s.pod)
			s.before = func() { s.change(with()) }
			_, proceed, err := finalizer.Handle(t.Context(), s, s.pod.DeepCopy(), mine, func(context.Context, *corev1.Pod) error { return nil })
			if proceed || !apierrors.IsConflict(err) || s.patches != 5 {
				t.Errorf("after %d patches: %v, %v", s.patches, proceed, err)
			}
		})
	}
}

func TestAFailedCleanupKeepsTheFinalizer(t *testing.T) {
	s := &server{pod: pod(mine)}
	deleted(s.pod)
	waiting := errors.New("not gone yet")
	_, proceed, err := finalizer.Handle(t.Context(), s, s.pod, mine, func(context.Context, *corev1.Pod) error { return waiting })
	if proceed || !errors.Is(err, waiting) || s.patches != 0 || !slices.Contains(s.pod.Finalizers, mine) {
		t.Errorf("after %d patches: %v, %v, %v", s.patches, proceed, err, s.pod.Finalizers)
	}
}

func TestHandleNeedsAName(t *testing.T) {
	s := &server{pod: pod()}
	if _, proceed, err := finalizer.Handle(t.Context(), s, s.pod, "", nil); err == nil || proceed || s.patches != 0 {
		t.Errorf("an empty name gives %v, %v", proceed, err)
	}
}

func ExampleHandle() {
	s := &server{pod: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "u", ResourceVersion: "1"}}}
	reconcile := func() {
		pod, proceed, err := finalizer.Handle(context.Background(), s, s.pod, "example.com/cleanup",
			func(_ context.Context, pod *corev1.Pod) error {
				fmt.Println("cleaning up after", pod.Name)
				return nil
			})
		if err != nil || !proceed {
			fmt.Println("stop:", err)
			return
		}
		fmt.Println("go on with", pod.Name, pod.Finalizers)
	}
	reconcile()
	s.change(deleted)
	reconcile()
	fmt.Println("gone:", s.pod == nil)
	// Output:
	// go on with a [example.com/cleanup]
	// cleaning up after a
	// stop: <nil>
	// gone: true
}
