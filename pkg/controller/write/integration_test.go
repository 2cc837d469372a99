package write_test

import (
	"errors"
	"strconv"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

// The server sets many defaults in a Deployment, and its controller writes the status meanwhile.
func TestCreateOrUpdateBesideDefaults(t *testing.T) {
	p := newPlane(t)
	view := run(t, cache.FromClient(p.AppsV1().Deployments(p.namespace)))
	w := write.New(p.AppsV1().Deployments, view, write.Config{FieldManager: "me"})
	image := func(image string) func(*appsv1.Deployment) error {
		return func(d *appsv1.Deployment) error {
			d.Spec.Template.Spec.Containers[0].Image = image
			return nil
		}
	}
	initial := p.deployment("web")
	created := want[*appsv1.Deployment](t, write.Created)(w.CreateOrUpdate(t.Context(), initial, image("image:2")))
	see(t, view, created)
	want[*appsv1.Deployment](t, write.Unchanged)(w.CreateOrUpdate(t.Context(), initial, image("image:2")))
	updated := want[*appsv1.Deployment](t, write.Updated)(w.CreateOrUpdate(t.Context(), initial, image("image:3")))
	if updated.Generation != 2 || updated.Spec.Template.Spec.RestartPolicy != corev1.RestartPolicyAlways {
		t.Errorf("generation is %d, restart policy %q", updated.Generation, updated.Spec.Template.Spec.RestartPolicy)
	}
	if status := w.Status(); status.Created != 1 || status.Patched != 1 || status.Unchanged != 1 || status.NoOps != 0 {
		t.Errorf("the status is %+v", status)
	}

	// Who sets whole structs takes the defaults away, and the server puts them back.
	whole := func(d *appsv1.Deployment) error {
		d.Spec = *initial.Spec.DeepCopy()
		d.Spec.Template.Spec.Containers[0].Image = "image:3"
		return nil
	}
	var last *appsv1.Deployment
	for range 2 { // the Deployment's controller may write the status in between
		last, _, _ = w.CreateOrUpdate(t.Context(), initial, whole)
	}
	if last == nil || last.Generation != 2 {
		t.Errorf("setting the whole spec makes it %v, want generation 2", last)
	}
}

// TestNothingIsWrittenWhenNothingChanged sees that the version stays, whatever the verb.
func TestNothingIsWrittenWhenNothingChanged(t *testing.T) {
	p := newPlane(t)
	view := run(t, cache.FromClient(p.CoreV1().ConfigMaps(p.namespace)))
	w := write.New(p.CoreV1().ConfigMaps, view, write.Config{FieldManager: "me"})
	obj := must[*corev1.ConfigMap](t)(w.Create(t.Context(), p.configMap("a", map[string]string{"a": "1"})))
	see(t, view, obj)
	set := func(c *corev1.ConfigMap) error { c.Data["a"] = "1"; return nil }
	same := obj.DeepCopy()

	calls := map[string]func() (*corev1.ConfigMap, write.Effect, error){
		"CreateOrUpdate": func() (*corev1.ConfigMap, write.Effect, error) { return w.CreateOrUpdate(t.Context(), obj, set) },
		"Change":         func() (*corev1.ConfigMap, write.Effect, error) { return w.Change(t.Context(), obj, set) },
		"Update":         func() (*corev1.ConfigMap, write.Effect, error) { return w.Update(t.Context(), same) },
		"Merge": func() (*corev1.ConfigMap, write.Effect, error) {
			return w.Patch(t.Context(), obj, write.Merge(obj, same))
		},
		"Strategic": func() (*corev1.ConfigMap, write.Effect, error) {
			return w.Patch(t.Context(), obj, write.Strategic(obj, same).Locked())
		},
		"a no-op": func() (*corev1.ConfigMap, write.Effect, error) {
			return w.Patch(t.Context(), obj, write.Raw(types.MergePatchType, []byte(`{"data":{"a":"1"}}`)))
		},
	}
	for name, call := range calls {
		if got := want[*corev1.ConfigMap](t, write.Unchanged)(call()); got.ResourceVersion != obj.ResourceVersion {
			t.Errorf("%s makes version %s of %s", name, got.ResourceVersion, obj.ResourceVersion)
		}
	}
	if status := w.Status(); status.Unchanged != 5 || status.NoOps != 1 || status.Patched != 1 || status.Updated != 0 {
		t.Errorf("the status is %+v", status)
	}
	now := must[*corev1.ConfigMap](t)(p.CoreV1().ConfigMaps(p.namespace).Get(t.Context(), "a", metav1.GetOptions{}))
	if now.ResourceVersion != obj.ResourceVersion {
		t.Errorf("the version is %s, was %s", now.ResourceVersion, obj.ResourceVersion)
	}
}

// Several writers count in the same object, two through caches, one by hand. Each count must be there at the end.
func TestNoIncrementIsLost(t *testing.T) {
	const each = 30
	p := newPlane(t)
	client := p.CoreV1().ConfigMaps(p.namespace)
	view := run(t, cache.FromClient(client))
	w := write.New(p.CoreV1().ConfigMaps, view, write.Config{Attempts: 50})
	obj := must[*corev1.ConfigMap](t)(w.Create(t.Context(), p.configMap("count", map[string]string{"n": "0"})))
	increment := func(c *corev1.ConfigMap) error {
		n, err := strconv.Atoi(c.Data["n"])
		c.Data["n"] = strconv.Itoa(n + 1)
		return err
	}

	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for range each {
				if _, effect, err := w.CreateOrUpdate(t.Context(), obj, increment); err != nil || effect != write.Updated {
					t.Errorf("an increment had the effect %v, %v", effect, err)
				}
			}
		})
	}
	group.Go(func() {
		for done := 0; done < each; {
			now, err := client.Get(t.Context(), "count", metav1.GetOptions{})
			if err == nil && increment(now) == nil {
				_, err = client.Update(t.Context(), now, metav1.UpdateOptions{})
			}
			switch {
			case err == nil:
				done++
			case !apierrors.IsConflict(err):
				t.Error(err)
				return
			}
		}
	})
	group.Wait()

	now := must[*corev1.ConfigMap](t)(client.Get(t.Context(), "count", metav1.GetOptions{}))
	status := w.Status()
	t.Logf("%+v", status)
	if now.Data["n"] != strconv.Itoa(3*each) || status.Patched != 2*each || status.Conflicts == 0 {
		t.Errorf("counted to %s with %+v, want %d", now.Data["n"], status, 3*each)
	}
}

func TestJSONPatchesTest(t *testing.T) {
	p := newPlane(t)
	w := write.New(p.CoreV1().ConfigMaps, nil, write.Config{})
	obj := must[*corev1.ConfigMap](t)(w.Create(t.Context(), p.configMap("a", map[string]string{"n": "1"})))
	step := func(from, to string) write.Patch {
		return write.JSON(write.TestOp("/data/n", from), write.ReplaceOp("/data/n", to), write.AddOp("/data/m", to))
	}
	changed := want[*corev1.ConfigMap](t, write.Updated)(w.Patch(t.Context(), obj, step("1", "2").Locked()))
	if changed.Data["n"] != "2" || changed.Data["m"] != "2" {
		t.Errorf("data is %v", changed.Data)
	}
	_, _, err := w.Patch(t.Context(), obj, step("1", "3"))
	if !errors.Is(err, write.ErrTestFailed) || controller.Classify(err) != controller.Stale {
		t.Errorf("a failed test gives %v, want ErrTestFailed", err)
	}
	if _, _, err := w.Patch(t.Context(), obj, write.JSON(write.ReplaceOp("/data/n", "3")).Locked()); !apierrors.IsConflict(err) {
		t.Errorf("a patch locked to an old version gives %v, want a conflict", err)
	}
	if _, _, err := w.Patch(t.Context(), obj, write.JSON(write.TestOp("/data/n", "2"), write.AddOp("/metadata/labels", map[string]string{"no label": "x"}))); !apierrors.IsInvalid(err) || errors.Is(err, write.ErrTestFailed) {
		t.Errorf("a patch that makes the object invalid gives %v", err)
	}
	other := changed.DeepCopy()
	other.Data["n"] = "9"
	if _, _, err := w.Patch(t.Context(), obj, write.Merge(changed, other).Locked()); !apierrors.IsConflict(err) {
		t.Errorf("a merge patch locked to an old version gives %v, want a conflict", err)
	}
	want[*corev1.ConfigMap](t, write.Updated)(w.Patch(t.Context(), changed, write.Strategic(changed, other).Locked()))
}
