package fleet

import (
	"encoding/json"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func TestNamesTellTheNumber(t *testing.T) {
	for _, number := range []int{0, 7, 19_999} {
		if got, err := Number(Name(number)); err != nil || got != number {
			t.Errorf("Number(Name(%d)) = %d, %v", number, got, err)
		}
	}
	for _, name := range []string{"", "7", "object-", "object-x", "kube-root-ca.crt"} {
		if got, err := Number(name); err == nil {
			t.Errorf("Number(%q) = %d, want an error", name, got)
		}
	}
}

func TestStampsSurviveTheirObject(t *testing.T) {
	want := Stamp{Run: "r1", Time: time.Unix(12, 345_678_901)}
	got, err := StampOf(ConfigMap(3, want))
	if err != nil || got.Run != want.Run || !got.Time.Equal(want.Time) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	for _, annotations := range []map[string]string{nil, {stampAnnotation: "r1"}, {stampAnnotation: "r1/soon"}} {
		object := &corev1.ConfigMap{}
		object.Annotations = annotations
		if got, err := StampOf(object); err == nil {
			t.Errorf("the stamp of annotations %v is %v, want an error", annotations, got)
		}
	}
}

// The server adds about 2.7 kB to a pod and 0.9 kB to a CronTab.
func TestObjectsHaveTheSizeThatIsMeasured(t *testing.T) {
	for name, test := range map[string]struct {
		object      any
		least, most int
	}{
		"pod":     {Pod(1234), 1200, 1500},
		"CronTab": {CronTab(1234), 1000, 1500},
	} {
		text, err := json.Marshal(test.object)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) < test.least || len(text) > test.most {
			t.Errorf("a %s has %d bytes, want %d to %d", name, len(text), test.least, test.most)
		}
	}
}
