package write_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

func TestDeleteHitsTheRightOne(t *testing.T) {
	p := newPlane(t)
	w := write.New(p.CoreV1().ConfigMaps, nil, write.Config{})
	first := must[*corev1.ConfigMap](t)(w.Create(t.Context(), p.configMap("a", nil)))
	changed := want[*corev1.ConfigMap](t, write.Updated)(w.Change(t.Context(), first, func(c *corev1.ConfigMap) error {
		c.Data = map[string]string{"a": "1"}
		return nil
	}))
	if err := w.Delete(t.Context(), first); !apierrors.IsConflict(err) {
		t.Errorf("deleting an old version gives %v, want a conflict", err)
	}
	for range 2 { // gone is no error
		if err := w.Delete(t.Context(), changed); err != nil {
			t.Fatal(err)
		}
	}
	second := must[*corev1.ConfigMap](t)(w.Create(t.Context(), p.configMap("a", nil)))
	for _, options := range []write.DeleteOptions{{}, {AnyVersion: true}} {
		if err := w.DeleteWith(t.Context(), changed, options); !apierrors.IsConflict(err) {
			t.Errorf("deleting one made again gives %v, want a conflict", err)
		}
	}
	if _, _, err := w.Change(t.Context(), first, func(c *corev1.ConfigMap) error {
		c.Data = map[string]string{}
		c.Labels = map[string]string{"a": "b"}
		return nil
	}); !apierrors.IsConflict(err) {
		t.Errorf("changing one made again gives %v, want a conflict", err)
	}
	want[*corev1.ConfigMap](t, write.Updated)(w.Change(t.Context(), second, func(c *corev1.ConfigMap) error { c.Data = map[string]string{"b": "2"}; return nil }))
	if err := w.DeleteWith(t.Context(), second, write.DeleteOptions{AnyVersion: true}); err != nil {
		t.Error(err)
	}
}

// The last finalizer of a deleted object: the server leaves the version alone that it returns, and yet the object is to be
// seen going.
func TestTheLastFinalizerIsAnUpdate(t *testing.T) {
	p := newPlane(t)
	view := run(t, cache.FromClient(p.CoreV1().ConfigMaps(p.namespace)))
	w := write.New(p.CoreV1().ConfigMaps, view, write.Config{})
	obj := p.configMap("a", nil)
	obj.Finalizers = []string{"example.com/a"}
	obj = must[*corev1.ConfigMap](t)(w.Create(t.Context(), obj))
	if err := w.Delete(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	see(t, view, want[*corev1.ConfigMap](t, write.Updated)(w.Change(t.Context(), obj, func(c *corev1.ConfigMap) error {
		c.Finalizers = nil
		return nil
	})))
	if left, ok := view.Get(types.NamespacedName{Namespace: p.namespace, Name: "a"}); ok {
		t.Errorf("the cache still has %s in version %s", left.Name, left.ResourceVersion)
	}
}
