package write_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applyappsv1 "k8s.io/client-go/applyconfigurations/apps/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	applymetav1 "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
	applyv1 "github.com/sluice-k8s/sluice/pkg/generated/applyconfiguration/stable/v1"
)

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
