package v1_test

import (
	"reflect"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	applyv1 "github.com/sluice-k8s/sluice/pkg/generated/applyconfiguration/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned/fake"
)

// The generated fake needs the schema of CronTab for this, see hack/generate.sh.
func TestFakeClientsetTracksFieldOwners(t *testing.T) {
	ctx, crontabs := t.Context(), fake.NewClientset().StableV1().CronTabs("default")
	apply := func(manager string, spec *applyv1.CronTabSpecApplyConfiguration) (*v1.CronTab, error) {
		return crontabs.Apply(ctx, applyv1.CronTab("backup", "default").WithSpec(spec), metav1.ApplyOptions{FieldManager: manager})
	}

	if _, err := apply("user", applyv1.CronTabSpec().WithSchedule("@hourly").WithImage("backup:1").WithCommand("backup", "-v")); err != nil {
		t.Fatal(err)
	}
	if _, err := apply("other", applyv1.CronTabSpec().WithSchedule("@daily")); !apierrors.IsConflict(err) {
		t.Errorf("applying a field of another manager: got %v, want a conflict", err)
	}
	got, err := apply("user", applyv1.CronTabSpec().WithSchedule("@daily").WithImage("backup:1"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (v1.CronTabSpec{Schedule: "@daily", Image: "backup:1"}); !reflect.DeepEqual(got.Spec, want) {
		t.Errorf("spec is %+v, want %+v: the command that is no longer applied is gone", got.Spec, want)
	}
}
