package write_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	applyappsv1 "k8s.io/client-go/applyconfigurations/apps/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	applymetav1 "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
	applyv1 "github.com/sluice-k8s/sluice/pkg/generated/applyconfiguration/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
)

func TestMain(m *testing.M) { os.Exit(controlplanetest.RunCheckingLeaks(m)) }

const manifest = "../../generated/crds/stable.example.com_crontabs.yaml"

// A plane is the clients of the control plane, and a namespace of the test.
type plane struct {
	kubernetes.Interface

	crontabs  versioned.Interface
	dynamic   dynamic.Interface
	namespace string
}

func newPlane(t *testing.T) plane {
	t.Helper()
	config := controlplanetest.Config(t)
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(httpClient.CloseIdleConnections)
	clients, err := kubernetes.NewForConfigAndClient(config, httpClient)
	if err != nil {
		t.Fatal(err)
	}
	crontabs, err := versioned.NewForConfigAndClient(config, httpClient)
	if err != nil {
		t.Fatal(err)
	}
	dyn, err := dynamic.NewForConfigAndClient(config, httpClient)
	if err != nil {
		t.Fatal(err)
	}
	return plane{clients, crontabs, dyn, controlplanetest.Namespace(t)}
}

// run runs an informer for the time of the test, and waits for its sync.
func run[T cache.Object](t *testing.T, source cache.ListerWatcher[T]) *cache.Indexer[T] {
	t.Helper()
	informer := cache.NewInformer(source, cache.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = informer.Run(ctx) })
	t.Cleanup(func() { cancel(); group.Wait() })
	timed, stop := context.WithTimeout(t.Context(), controlplanetest.Patience)
	defer stop()
	if err := informer.WaitForSync(timed); err != nil {
		t.Fatal(err)
	}
	return informer.Indexer()
}

// see waits until the view has what was written.
func see[T cache.Object](t *testing.T, view *cache.Indexer[T], written T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), controlplanetest.Patience)
	defer cancel()
	if err := view.WaitForObject(ctx, written); err != nil {
		t.Fatal(err)
	}
}

func (p plane) configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: name}, Data: data}
}

func (p plane) deployment(name string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(0)),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "image:1"}}},
			},
		},
	}
}

func (p plane) crontab(name string) *v1.CronTab {
	return &v1.CronTab{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: name},
		Spec:       v1.CronTabSpec{Schedule: "@hourly", Image: "backup:1"},
	}
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// want fails unless a write had the effect.
func want[T any](t *testing.T, effect write.Effect) func(T, write.Effect, error) T {
	t.Helper()
	return func(value T, got write.Effect, err error) T {
		t.Helper()
		if err != nil || got != effect {
			t.Fatalf("got %v, %v; want %v", got, err, effect)
		}
		return value
	}
}

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

func TestStatusIsWrittenByItsSubresource(t *testing.T) {
	p := newPlane(t)
	controlplanetest.InstallCRD(t, manifest)
	w := write.New(p.crontabs.StableV1().CronTabs, nil, write.Config{FieldManager: "me"})
	crontab := must[*v1.CronTab](t)(w.Create(t.Context(), p.crontab("backup")))
	observe := func(c *v1.CronTab) error { c.Status.ObservedGeneration = 7; return nil }

	got := want[*v1.CronTab](t, write.Updated)(w.ChangeStatus(t.Context(), crontab, observe))
	if got.Status.ObservedGeneration != 7 || got.Generation != 1 {
		t.Errorf("observed is %d, generation %d", got.Status.ObservedGeneration, got.Generation)
	}
	// The version is old now: what comes back is the conflict's way, and nothing to do.
	if again := want[*v1.CronTab](t, write.Updated)(w.ChangeStatus(t.Context(), crontab, func(c *v1.CronTab) error {
		c.Status.ObservedGeneration++
		return nil
	})); again.Status.ObservedGeneration != 8 {
		t.Errorf("observed is %d, want 8", again.Status.ObservedGeneration)
	}
	if _, _, err := w.ChangeStatus(t.Context(), crontab, func(c *v1.CronTab) error { c.Spec.Image = "x"; return nil }); err == nil {
		t.Error("ChangeStatus took a change of the spec")
	}
	if _, _, err := w.Change(t.Context(), crontab, observe); err == nil {
		t.Error("Change says nothing about a status that the server has not taken")
	}
}

// A typed and a dynamic writer of the same custom resource, the second with fields that the first does not know of.
func TestCustomResources(t *testing.T) {
	p := newPlane(t)
	controlplanetest.InstallCRD(t, manifest)
	gvr := v1.SchemeGroupVersion.WithResource("crontabs")
	typed := write.New(p.crontabs.StableV1().CronTabs, run(t, cache.FromClient(p.crontabs.StableV1().CronTabs(p.namespace))), write.Config{FieldManager: "me"})
	view := run(t, cache.FromDynamic(p.dynamic.Resource(gvr).Namespace(p.namespace)))
	untyped := write.New(write.Dynamic(p.dynamic.Resource(gvr)), view, write.Config{FieldManager: "me"})

	crontab := want[*v1.CronTab](t, write.Created)(typed.CreateOrUpdate(t.Context(), p.crontab("backup"), nil))
	named := &unstructured.Unstructured{}
	named.SetAPIVersion(v1.SchemeGroupVersion.String())
	named.SetKind("CronTab")
	named.SetNamespace(p.namespace)
	named.SetName("backup")
	named.SetResourceVersion(crontab.ResourceVersion)
	see(t, view, named)
	named.SetResourceVersion("")
	want[*unstructured.Unstructured](t, write.Updated)(untyped.CreateOrUpdate(t.Context(), named, func(u *unstructured.Unstructured) error {
		return unstructured.SetNestedField(u.Object, "backup:2", "spec", "image")
	}))
	want[*unstructured.Unstructured](t, write.Updated)(untyped.ChangeStatus(t.Context(), named, func(u *unstructured.Unstructured) error {
		return unstructured.SetNestedField(u.Object, int64(3), "status", "observedGeneration")
	}))
	got := want[*v1.CronTab](t, write.Updated)(typed.Change(t.Context(), crontab, func(c *v1.CronTab) error {
		c.Labels = map[string]string{"a": "b"}
		return nil
	}))
	if got.Spec.Image != "backup:2" || got.Status.ObservedGeneration != 3 || got.Labels["a"] != "b" {
		t.Errorf("not all writes are there: %+v", got)
	}
	if _, _, err := typed.Patch(t.Context(), got, write.Strategic(got, got.DeepCopy())); err == nil {
		t.Error("a strategic merge patch of a custom resource is no error")
	}

	applied := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": named.GetAPIVersion(), "kind": "CronTab",
		"metadata": map[string]any{"namespace": p.namespace, "name": "applied"},
		"spec":     map[string]any{"schedule": "@daily", "image": "a:1"},
	}}
	want[*unstructured.Unstructured](t, write.Created)(untyped.Apply(t.Context(), write.FromUnstructured(applied)))
}

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

func TestApplyReportsConflicts(t *testing.T) {
	p := newPlane(t)
	apply := func(replicas int32) *applyappsv1.DeploymentApplyConfiguration {
		return applyappsv1.Deployment("web", p.namespace).WithSpec(applyappsv1.DeploymentSpec().
			WithReplicas(replicas).
			WithSelector(applymetav1.LabelSelector().WithMatchLabels(map[string]string{"app": "web"})).
			WithTemplate(applycorev1.PodTemplateSpec().
				WithLabels(map[string]string{"app": "web"}).
				WithSpec(applycorev1.PodSpec().WithContainers(applycorev1.Container().WithName("main").WithImage("image:1")))))
	}
	one := write.New(p.AppsV1().Deployments, nil, write.Config{FieldManager: "one"})
	two := write.New(p.AppsV1().Deployments, nil, write.Config{FieldManager: "two"})
	by := write.New(p.AppsV1().Deployments, nil, write.Config{FieldManager: "two", Force: true})
	want[*appsv1.Deployment](t, write.Updated)(one.Apply(t.Context(), apply(0)))
	_, _, err := two.Apply(t.Context(), apply(1))
	conflict, ok := errors.AsType[*write.ConflictError](err)
	if !ok || !slices.Equal(conflict.Conflicts, []write.Conflict{{Manager: "one", Field: ".spec.replicas"}}) {
		t.Errorf("the error is %v, want a conflict about .spec.replicas with one", err)
	}
	if !apierrors.IsConflict(err) || two.Status().Conflicts != 1 {
		t.Errorf("the error is %v, status %+v", err, two.Status())
	}
	if got := want[*appsv1.Deployment](t, write.Updated)(by.Apply(t.Context(), apply(0))); *got.Spec.Replicas != 0 {
		t.Errorf("replicas are %d", *got.Spec.Replicas)
	}
}

// Apply sends nothing while what it is about stays, and sends again whatever of it changes.
func TestApplyIsRemembered(t *testing.T) {
	p := newPlane(t)
	controlplanetest.InstallCRD(t, manifest)
	client := p.crontabs.StableV1().CronTabs(p.namespace)
	view := run(t, cache.FromClient(client))
	w := write.New(p.crontabs.StableV1().CronTabs, view, write.Config{FieldManager: "me", Force: true})
	config := func() *applyv1.CronTabApplyConfiguration {
		return applyv1.CronTab("backup", p.namespace).WithLabels(map[string]string{"a": "1"}).
			WithSpec(applyv1.CronTabSpec().WithSchedule("@hourly").WithImage("backup:1"))
	}
	apply := func(effect write.Effect) {
		t.Helper()
		see(t, view, want[*v1.CronTab](t, effect)(w.Apply(t.Context(), config())))
	}
	patch := func(data string, subresources ...string) {
		t.Helper()
		see(t, view, must[*v1.CronTab](t)(client.Patch(t.Context(), "backup", types.MergePatchType, []byte(data), metav1.PatchOptions{FieldManager: "other"}, subresources...)))
	}
	apply(write.Created)
	apply(write.Unchanged)
	patch(`{"status":{"observedGeneration":1}}`, "status")
	apply(write.Unchanged)
	if status := w.Status(); status.Applied != 1 || status.Unchanged != 2 {
		t.Fatalf("the status is %+v, want one Apply sent", status)
	}
	for _, change := range []string{
		`{"spec":{"image":"other:1"}}`,
		`{"metadata":{"labels":{"a":"2"}}}`,
		`{"metadata":{"labels":{"a":null}}}`,
	} {
		patch(change)
		apply(write.Updated)
		apply(write.Unchanged)
	}
	if status := w.Status(); status.Applied != 4 || status.Unchanged != 5 || status.NoOps != 0 {
		t.Errorf("the status is %+v", status)
	}
	status := func() *applyv1.CronTabApplyConfiguration {
		return applyv1.CronTab("backup", p.namespace).WithStatus(applyv1.CronTabStatus().WithObservedGeneration(5))
	}
	see(t, view, want[*v1.CronTab](t, write.Updated)(w.ApplyStatus(t.Context(), status())))
	want[*v1.CronTab](t, write.Unchanged)(w.ApplyStatus(t.Context(), status()))
	patch(`{"status":{"observedGeneration":6}}`, "status")
	see(t, view, want[*v1.CronTab](t, write.Updated)(w.ApplyStatus(t.Context(), status())))

	got, _ := view.Get(types.NamespacedName{Namespace: p.namespace, Name: "backup"})
	if err := w.Delete(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	timed, cancel := context.WithTimeout(t.Context(), controlplanetest.Patience)
	defer cancel()
	if err := view.WaitForDeletion(timed, got); err != nil {
		t.Fatal(err)
	}
	apply(write.Created)
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

// A patch of scale is answered with a Scale, in the version that the Deployment has then.
func TestScale(t *testing.T) {
	p := newPlane(t)
	client := p.dynamic.Resource(appsv1.SchemeGroupVersion.WithResource("deployments"))
	view := run(t, cache.FromDynamic(client.Namespace(p.namespace)))
	must[*appsv1.Deployment](t)(p.AppsV1().Deployments(p.namespace).Create(t.Context(), p.deployment("web"), metav1.CreateOptions{}))
	w := write.New(write.Dynamic(client), view, write.Config{FieldManager: "me"})
	obj := &unstructured.Unstructured{}
	obj.SetNamespace(p.namespace)
	obj.SetName("web")
	scale := want[*unstructured.Unstructured](t, write.Updated)(w.Patch(t.Context(), obj,
		write.Raw(types.MergePatchType, []byte(`{"spec":{"replicas":2}}`)).To("scale")))
	see(t, view, scale)
	deployment, _ := view.Get(types.NamespacedName{Namespace: p.namespace, Name: "web"})
	if replicas, _, _ := unstructured.NestedInt64(deployment.Object, "spec", "replicas"); replicas != 2 || scale.GetKind() != "Scale" {
		t.Errorf("replicas are %d, the answer is a %s", replicas, scale.GetKind())
	}
}

func TestClusterScoped(t *testing.T) {
	p := newPlane(t)
	w := write.NewClusterScoped(p.CoreV1().Namespaces(), nil, write.Config{FieldManager: "me"})
	want[*corev1.Namespace](t, write.Updated)(w.Apply(t.Context(), applycorev1.Namespace(p.namespace).WithLabels(map[string]string{"a": "b"})))
	if _, _, err := w.Apply(t.Context(), applycorev1.Namespace(p.namespace).WithNamespace("a")); err == nil {
		t.Error("a namespace within a namespace is no error")
	}
}
