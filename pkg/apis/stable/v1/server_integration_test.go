package v1_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	applymetav1 "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	applyv1 "github.com/sluice-k8s/sluice/pkg/generated/applyconfiguration/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
	stablev1 "github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned/typed/stable/v1"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// stored is a CronTab on the server and the client to work on it.
type stored struct {
	*v1.CronTab
	client stablev1.CronTabInterface
	rest   stablev1.StableV1Interface
}

func createCronTab(t *testing.T, crontab *v1.CronTab) stored {
	t.Helper()
	clientset, err := versioned.NewForConfig(controlplanetest.Config(t))
	if err != nil {
		t.Fatal(err)
	}
	controlplanetest.InstallCRD(t, manifest)
	client := clientset.StableV1().CronTabs(controlplanetest.Namespace(t))
	crontab, err = client.Create(t.Context(), crontab, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return stored{crontab, client, clientset.StableV1()}
}

func (s stored) applyStatus(t *testing.T, manager string, status *applyv1.CronTabStatusApplyConfiguration) (v1.CronTabStatus, error) {
	t.Helper()
	crontab := applyv1.CronTab(s.Name, s.Namespace).WithStatus(status)
	got, err := s.client.ApplyStatus(t.Context(), crontab, metav1.ApplyOptions{FieldManager: manager})
	if err != nil {
		return v1.CronTabStatus{}, err
	}
	return got.Status, nil
}

func backup() *v1.CronTab {
	return &v1.CronTab{
		ObjectMeta: metav1.ObjectMeta{Name: "backup"},
		Spec:       v1.CronTabSpec{Schedule: "@hourly", Image: "backup:1"},
	}
}

func TestServerSetsDefaults(t *testing.T) {
	got := createCronTab(t, backup()).Spec
	want := v1.CronTabSpec{
		Schedule:                   "@hourly",
		Image:                      "backup:1",
		ConcurrencyPolicy:          v1.AllowConcurrent,
		Suspend:                    new(false),
		SuccessfulJobsHistoryLimit: new(int32(3)),
		FailedJobsHistoryLimit:     new(int32(1)),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("spec is %s, want %s", asJSON(t, got), asJSON(t, want))
	}
}

func TestSpecAndStatusAreWrittenApart(t *testing.T) {
	crontab := backup()
	crontab.Status.ObservedGeneration = 7
	backup := createCronTab(t, crontab)
	if backup.Status.ObservedGeneration != 0 {
		t.Error("creation sets the status")
	}

	backup.Status.LastScheduleTime = &metav1.Time{Time: noon}
	backup.Spec.Schedule = "@daily"
	updated, err := backup.client.UpdateStatus(t.Context(), backup.CronTab, metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if updated.Spec.Schedule != "@hourly" || updated.Generation != 1 {
		t.Errorf("a status update makes schedule %q, generation %d", updated.Spec.Schedule, updated.Generation)
	}

	updated.Status.LastScheduleTime = nil
	updated.Spec.Schedule = "@daily"
	updated, err = backup.client.Update(t.Context(), updated, metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if updated.Spec.Schedule != "@daily" || updated.Generation != 2 {
		t.Errorf("an update makes schedule %q, generation %d", updated.Spec.Schedule, updated.Generation)
	}
	if !updated.Status.LastScheduleTime.Time.Equal(noon) {
		t.Errorf("an update makes last schedule time %v", updated.Status.LastScheduleTime)
	}
}

func TestConditionsOfSeveralOwnersAreMerged(t *testing.T) {
	backup := createCronTab(t, backup())
	for _, step := range []struct{ manager, condition, reason string }{
		{"controller", v1.ConditionReady, v1.ReasonScheduled},
		{"auditor", "Audited", "Passed"},
		{"controller", v1.ConditionReady, v1.ReasonSuspended},
	} {
		status := applyv1.CronTabStatus().WithConditions(condition(step.condition, step.reason))
		if _, err := backup.applyStatus(t, step.manager, status); err != nil {
			t.Fatal(err)
		}
	}

	got, err := backup.client.Get(t.Context(), backup.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, c := range got.Status.Conditions {
		reasons[c.Type] = c.Reason
	}
	if want := map[string]string{v1.ConditionReady: v1.ReasonSuspended, "Audited": "Passed"}; !reflect.DeepEqual(reasons, want) {
		t.Errorf("conditions are %v, want %v", reasons, want)
	}
}

func TestActiveHasOneOwner(t *testing.T) {
	backup := createCronTab(t, backup())
	if _, err := backup.applyStatus(t, "controller", applyv1.CronTabStatus().WithActive(job("a"), job("b"))); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.applyStatus(t, "other", applyv1.CronTabStatus().WithActive(job("c"))); !apierrors.IsConflict(err) {
		t.Errorf("another manager adds a Job: got %v, want a conflict", err)
	}
	got, err := backup.applyStatus(t, "controller", applyv1.CronTabStatus().WithActive(job("b")))
	if err != nil {
		t.Fatal(err)
	}
	if want := []corev1.ObjectReference{{Kind: "Job", Name: "b"}}; !reflect.DeepEqual(got.Active, want) {
		t.Errorf("active is %v, want %v", got.Active, want)
	}
}

func TestServerPrintsColumns(t *testing.T) {
	backup := createCronTab(t, backup())
	_, err := backup.applyStatus(t, "controller", applyv1.CronTabStatus().
		WithConditions(condition(v1.ConditionReady, v1.ReasonScheduled)).
		WithLastScheduleTime(metav1.NewTime(time.Now().Add(-48*time.Hour))).
		WithNextScheduleTime(metav1.NewTime(noon)))
	if err != nil {
		t.Fatal(err)
	}

	var table metav1.Table
	data, err := backup.rest.RESTClient().Get().Namespace(backup.Namespace).Resource("crontabs").Name(backup.Name).
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").DoRaw(t.Context())
	if err == nil {
		err = json.Unmarshal(data, &table)
	}
	if err != nil || len(table.Rows) != 1 {
		t.Fatalf("got %d rows, error %v", len(table.Rows), err)
	}
	got := map[string]any{}
	for i, column := range table.ColumnDefinitions {
		got[column.Name] = table.Rows[0].Cells[i]
	}
	delete(got, "Age") // of a few seconds
	want := map[string]any{
		"Name": "backup", "Schedule": "@hourly", "Timezone": nil, "Suspend": false, "Ready": "True", "Reason": "Scheduled",
		"Last Schedule": "2d", "Next Schedule": "2026-03-01T12:00:00Z", "Concurrency": "Allow", "Image": "backup:1",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("columns are %v, want %v", got, want)
	}
}

func condition(kind, reason string) *applymetav1.ConditionApplyConfiguration {
	return applymetav1.Condition().WithType(kind).WithStatus(metav1.ConditionTrue).WithReason(reason).WithMessage("").
		WithLastTransitionTime(metav1.NewTime(noon))
}

func job(name string) *applycorev1.ObjectReferenceApplyConfiguration {
	return applycorev1.ObjectReference().WithKind("Job").WithName(name)
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
