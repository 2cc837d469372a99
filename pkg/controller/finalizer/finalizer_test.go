package finalizer_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/controller/finalizer"
)

const mine = "example.com/mine"

// A client writes down the patches it gets.
type client struct {
	patches []string
	err     error
}

func (c *client) Patch(_ context.Context, name string, kind types.PatchType, data []byte, _ metav1.PatchOptions, _ ...string) (*corev1.Pod, error) {
	c.patches = append(c.patches, fmt.Sprintf("%s %s %s", name, kind, data))
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "patched"}}, c.err
}

func pod(finalizers ...string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "u", ResourceVersion: "7", Finalizers: finalizers}}
}

func patch(finalizers string) string {
	return `a application/merge-patch+json {"metadata":{"finalizers":` + finalizers + `,"resourceVersion":"7","uid":"u"}}`
}

func TestEnsure(t *testing.T) {
	tests := map[string]struct {
		obj  *corev1.Pod
		want string // the patch; empty for none
	}{
		"none there":   {pod(), patch(`["example.com/mine"]`)},
		"others there": {pod("example.com/other"), patch(`["example.com/other","example.com/mine"]`)},
		"there":        {pod(mine), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var c client
			got, err := finalizer.Ensure(t.Context(), &c, test.obj, mine)
			if err != nil {
				t.Fatal(err)
			}
			if test.want == "" {
				if len(c.patches) != 0 || got != test.obj {
					t.Errorf("patched with %q, want nothing done", c.patches)
				}
				return
			}
			if len(c.patches) != 1 || c.patches[0] != test.want || got.Name != "patched" {
				t.Errorf("patched with %q, want %q", c.patches, test.want)
			}
		})
	}
}

func TestRemove(t *testing.T) {
	gone := apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, "a")
	tests := map[string]struct {
		obj  *corev1.Pod
		err  error
		want string
	}{
		"there":              {pod("example.com/other", mine), nil, patch(`["example.com/other"]`)},
		"the last":           {pod(mine), nil, patch(`[]`)},
		"not there":          {pod("example.com/other"), nil, ""},
		"object gone by now": {pod(mine), gone, patch(`[]`)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := client{err: test.err}
			if err := finalizer.Remove(t.Context(), &c, test.obj, mine); err != nil {
				t.Fatal(err)
			}
			if test.want == "" && len(c.patches) == 0 {
				return
			}
			if len(c.patches) != 1 || c.patches[0] != test.want {
				t.Errorf("patched with %q, want %q", c.patches, test.want)
			}
		})
	}
}

func TestErrorsAreReturned(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "pods"}, "a", errors.New("changed"))
	c := client{err: conflict}
	if _, err := finalizer.Ensure(t.Context(), &c, pod(), mine); !apierrors.IsConflict(err) {
		t.Errorf("Ensure returned %v, want the conflict", err)
	}
	if err := finalizer.Remove(t.Context(), &c, pod(mine), mine); !apierrors.IsConflict(err) {
		t.Errorf("Remove returned %v, want the conflict", err)
	}
}

func TestAnObjectThatWasNotReadIsRefused(t *testing.T) {
	var c client
	obj := pod(mine)
	obj.ResourceVersion = ""
	if err := finalizer.Remove(t.Context(), &c, obj, mine); err == nil || len(c.patches) != 0 {
		t.Errorf("Remove returned %v and patched with %q, want an error and no patch", err, c.patches)
	}
}

func ExampleEnsure() {
	var c client
	_, err := finalizer.Ensure(context.Background(), &c, pod(), "example.com/cleanup")
	fmt.Println(c.patches[0], err)
	// Output: a application/merge-patch+json {"metadata":{"finalizers":["example.com/cleanup"],"resourceVersion":"7","uid":"u"}} <nil>
}
