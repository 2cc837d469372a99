package write_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

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
