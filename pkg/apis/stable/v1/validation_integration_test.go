package v1_test

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
)

// newCronTabs returns a client of CronTabs in a namespace of the test's own, which is not bound to the Go types: it can
// say what they cannot.
func newCronTabs(t *testing.T) dynamic.ResourceInterface {
	t.Helper()
	client, err := dynamic.NewForConfig(controlplanetest.Config(t))
	if err != nil {
		t.Fatal(err)
	}
	controlplanetest.InstallCRD(t, manifest)
	return client.Resource(v1.SchemeGroupVersion.WithResource("crontabs")).Namespace(controlplanetest.Namespace(t))
}

// newCronTab returns the smallest CronTab that the server takes.
func newCronTab(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1.SchemeGroupVersion.String(),
		"kind":       "CronTab",
		"metadata":   map[string]any{"name": name},
		"spec":       map[string]any{"schedule": "*/5 * * * *", "image": "backup:1"},
	}}
}

// set changes the field at a path like "spec.schedule", or removes it if the value is nil.
func set(t *testing.T, crontab *unstructured.Unstructured, path string, value any) {
	t.Helper()
	fields := strings.Split(path, ".")
	if value == nil {
		unstructured.RemoveNestedField(crontab.Object, fields...)
		return
	}
	if err := unstructured.SetNestedField(crontab.Object, value, fields...); err != nil {
		t.Fatal(err)
	}
}

func TestServerValidates(t *testing.T) {
	crontabs := newCronTabs(t)
	for i, test := range []struct {
		path  string
		value any
		want  string // part of the error, or empty if the server takes it
	}{
		{"metadata.name", strings.Repeat("n", 52), ""},
		{"metadata.name", strings.Repeat("n", 53), "metadata.name must be no more than 52 characters"},

		{"spec", nil, "spec: Required value"},
		{"spec.unknown", "x", `unknown field "spec.unknown"`},

		{"spec.schedule", "@every 90s", ""},
		{"spec.schedule", "61 * * * *", ""}, // the controller reports it
		{"spec.schedule", "every now and then", ""},
		{"spec.schedule", nil, "spec.schedule: Required value"},
		{"spec.schedule", "", "spec.schedule: Invalid value"},
		{"spec.schedule", " \t", "must not be blank"},
		{"spec.schedule", "TZ=UTC * * * * *", "use timeZone instead"},
		{"spec.schedule", "CRON_TZ=UTC * * * * *", "use timeZone instead"},
		{"spec.schedule", strings.Repeat("*", 257), "spec.schedule: Too long: may not be more than 256"},

		{"spec.timeZone", "Europe/Vienna", ""},
		{"spec.timeZone", "Mars/Olympus_Mons", ""}, // the controller reports it
		{"spec.timeZone", "", "spec.timeZone: Invalid value"},
		{"spec.timeZone", "Local", "must name a time zone"},
		{"spec.timeZone", "LOCAL", "must name a time zone"},
		{"spec.timeZone", strings.Repeat("z", 65), "spec.timeZone: Too long: may not be more than 64"},

		{"spec.image", "registry.example.com:5000/backup@sha256:0123", ""},
		{"spec.image", nil, "spec.image: Required value"},
		{"spec.image", "", "spec.image: Invalid value"},
		{"spec.image", " backup:1", "must not begin or end with white space"},
		{"spec.image", "backup:1\n", "must not begin or end with white space"},
		{"spec.image", strings.Repeat("i", 1025), "spec.image: Too long: may not be more than 1024"},

		{"spec.command", []any{}, ""},
		{"spec.command", []any{"sh", "-c", ""}, ""},
		{"spec.command", []any{"", "-c"}, "the first item is the program and must not be empty"},
		{"spec.command", []any{strings.Repeat("x", 32769)}, "spec.command[0]: Too long: may not be more than 32768"},
		{"spec.command", repeat("x", 129), "spec.command: Too many: 129: must have at most 128 items"},

		{"spec.concurrencyPolicy", "Allow", ""},
		{"spec.concurrencyPolicy", "Forbid", ""},
		{"spec.concurrencyPolicy", "Replace", ""},
		{"spec.concurrencyPolicy", "Queue", `Unsupported value: "Queue"`},
		{"spec.suspend", "yes", "spec.suspend: Invalid value"},

		{"spec.startingDeadlineSeconds", int64(0), ""},
		{"spec.startingDeadlineSeconds", int64(-1), "should be greater than or equal to 0"},
		{"spec.successfulJobsHistoryLimit", int64(0), ""},
		{"spec.successfulJobsHistoryLimit", int64(-1), "should be greater than or equal to 0"},
		{"spec.successfulJobsHistoryLimit", int64(1 << 31), "type integer with format int32"},
		{"spec.failedJobsHistoryLimit", int64(0), ""},
		{"spec.failedJobsHistoryLimit", int64(-1), "should be greater than or equal to 0"},
	} {
		t.Run(fmt.Sprintf("%s=%.20s", test.path, fmt.Sprint(test.value)), func(t *testing.T) {
			crontab := newCronTab(fmt.Sprintf("case-%d", i))
			set(t, crontab, test.path, test.value)
			_, err := crontabs.Create(t.Context(), crontab, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
			requireOutcome(t, err, test.want)
		})
	}
}

func requireOutcome(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("the server refuses it: %v", err)
	case want != "" && err == nil:
		t.Errorf("the server takes it, want an error with %q", want)
	case want != "" && !strings.Contains(err.Error(), want):
		t.Errorf("the server says %q, want %q in it", err, want)
	case want != "" && !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err):
		t.Errorf("the error is %v, want one that blames the request", apierrors.ReasonForError(err))
	}
}

func repeat(item any, n int) []any {
	items := make([]any, n)
	for i := range items {
		items[i] = item
	}
	return items
}
