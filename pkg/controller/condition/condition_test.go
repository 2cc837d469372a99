package condition_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-k8s/sluice/pkg/controller/condition"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func ready(status metav1.ConditionStatus, reason string, at time.Time) metav1.Condition {
	return metav1.Condition{Type: "Ready", Status: status, Reason: reason, LastTransitionTime: metav1.NewTime(at)}
}

func TestSet(t *testing.T) {
	later := noon.Add(time.Hour)
	generation, message := ready(metav1.ConditionTrue, "Fine", later), ready(metav1.ConditionTrue, "Fine", later)
	generation.ObservedGeneration, message.Message = 2, "more"
	tests := map[string]struct {
		set     metav1.Condition
		changed bool
		since   time.Time
	}{
		"the same":   {ready(metav1.ConditionTrue, "Fine", later), false, noon},
		"reason":     {ready(metav1.ConditionTrue, "Better", later), true, noon},
		"message":    {message, true, noon},
		"generation": {generation, true, noon},
		"status":     {ready(metav1.ConditionFalse, "Broken", later.Add(time.Millisecond)), true, later},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			other := metav1.Condition{Type: "Other"}
			cached := []metav1.Condition{ready(metav1.ConditionTrue, "Fine", noon), other}
			conditions := cached
			changed, err := condition.Set(&conditions, test.set)
			if err != nil || changed != test.changed {
				t.Fatalf("changed is %v, %v; want %v", changed, err, test.changed)
			}
			want := test.set
			want.LastTransitionTime = metav1.NewTime(test.since)
			if !slices.Equal(conditions, []metav1.Condition{want, other}) {
				t.Errorf("the conditions are %v", conditions)
			}
			if cached[0].Reason != "Fine" || cached[0].ObservedGeneration != 0 {
				t.Error("the list that was there was changed: it may be cached")
			}
		})
	}
}

func TestNewConditionsAreAppended(t *testing.T) {
	var conditions []metav1.Condition
	for _, kind := range []string{"Ready", "Available", "example.com/Fine", "Ready"} {
		c := ready(metav1.ConditionTrue, "Fine", noon)
		c.Type = kind
		if _, err := condition.Set(&conditions, c); err != nil {
			t.Fatal(err)
		}
	}
	var kinds []string
	for _, c := range conditions {
		kinds = append(kinds, c.Type)
	}
	if got := strings.Join(kinds, " "); got != "Ready Available example.com/Fine" {
		t.Errorf("the conditions are %s", got)
	}
}

func TestWhatTheServerRefusesIsNotSet(t *testing.T) {
	tests := map[string]func(*metav1.Condition){
		"type":               func(c *metav1.Condition) { c.Type = "not a type" },
		"status":             func(c *metav1.Condition) { c.Status = "Maybe" },
		"reason":             func(c *metav1.Condition) { c.Reason = "two words" },
		"reason: Required":   func(c *metav1.Condition) { c.Reason = "" },
		"reason: Too long":   func(c *metav1.Condition) { c.Reason = strings.Repeat("a", 1025) },
		"observedGeneration": func(c *metav1.Condition) { c.ObservedGeneration = -1 },
		"lastTransitionTime": func(c *metav1.Condition) { c.LastTransitionTime = metav1.Time{} },
	}
	for field, spoil := range tests {
		t.Run(field, func(t *testing.T) {
			var conditions []metav1.Condition
			c := ready(metav1.ConditionTrue, "Fine", noon)
			spoil(&c)
			changed, err := condition.Set(&conditions, c)
			if err == nil || !strings.Contains(err.Error(), field) || changed || conditions != nil {
				t.Errorf("the error is %v, the conditions %v; want %s to be refused", err, conditions, field)
			}
		})
	}
}

func TestALongMessageIsCut(t *testing.T) {
	for _, text := range []string{"a", "ä", "日"} {
		c := ready(metav1.ConditionTrue, "Fine", noon)
		c.Message = strings.Repeat(text, condition.MaxMessage+1)
		var conditions []metav1.Condition
		if _, err := condition.Set(&conditions, c); err != nil {
			t.Fatal(err)
		}
		got := conditions[0].Message
		if len(got) > condition.MaxMessage || len(got) < condition.MaxMessage-4 || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") {
			t.Errorf("the message is of %d bytes and ends with %q", len(got), got[len(got)-8:])
		}
		if changed, _ := condition.Set(&conditions, c); changed {
			t.Error("the same long message is a change")
		}
	}
}

func TestRemove(t *testing.T) {
	cached := []metav1.Condition{{Type: "a"}, {Type: "b"}, {Type: "c"}}
	conditions := cached
	if !condition.Remove(&conditions, "b") || condition.Remove(&conditions, "b") {
		t.Error("b is not removed, or twice")
	}
	if !slices.Equal(conditions, []metav1.Condition{{Type: "a"}, {Type: "c"}}) || cached[1].Type != "b" {
		t.Errorf("left are %v of %v", conditions, cached)
	}
}

func TestGetAndIs(t *testing.T) {
	c := ready(metav1.ConditionTrue, "Fine", noon)
	c.ObservedGeneration = 2
	conditions := []metav1.Condition{c}
	if got, ok := condition.Get(conditions, "Ready"); !ok || got != c {
		t.Errorf("got %v, %v", got, ok)
	}
	if _, ok := condition.Get(conditions, "Other"); ok {
		t.Error("there is another condition")
	}
	if !condition.Is(conditions, "Ready", metav1.ConditionTrue) || condition.Is(conditions, "Other", metav1.ConditionUnknown) {
		t.Error("Is is wrong")
	}
	if !condition.IsCurrent(conditions, "Ready", metav1.ConditionTrue, 2) || condition.IsCurrent(conditions, "Ready", metav1.ConditionTrue, 3) {
		t.Error("IsCurrent is wrong")
	}
}

func TestUnstructured(t *testing.T) {
	obj := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"other": "stays"}}}
	conditions, err := condition.Of(obj)
	if err != nil || conditions != nil {
		t.Fatalf("there are %v, %v", conditions, err)
	}
	if _, err := condition.Set(&conditions, ready(metav1.ConditionTrue, "Fine", noon)); err != nil {
		t.Fatal(err)
	}
	if err := condition.Store(obj, conditions); err != nil {
		t.Fatal(err)
	}
	again, err := condition.Of(obj)
	if err != nil || len(again) != 1 || again[0].Type != "Ready" || !again[0].LastTransitionTime.Time.Equal(noon) {
		t.Errorf("read back are %v, %v", again, err)
	}
	if changed, _ := condition.Set(&again, ready(metav1.ConditionTrue, "Fine", noon.Add(time.Hour))); changed {
		t.Error("what was read back differs")
	}
	if other, _, _ := unstructured.NestedString(obj.Object, "status", "other"); other != "stays" {
		t.Error("the rest of the status is gone")
	}
}

// Some types have more in their conditions, such as the severity of Cluster API.
func TestForeignFieldsStay(t *testing.T) {
	item := map[string]any{"type": "Ready", "status": "True", "reason": "Fine", "observedGeneration": int64(3), "severity": "Info"}
	obj := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"conditions": []any{item}}}}
	conditions, err := condition.Of(obj)
	if err != nil {
		t.Fatal(err)
	}
	broken, other := ready(metav1.ConditionFalse, "Broken", noon), ready(metav1.ConditionTrue, "Fine", noon)
	other.Type = "Other"
	for _, c := range []metav1.Condition{broken, other} {
		if _, err := condition.Set(&conditions, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := condition.Store(obj, conditions); err != nil {
		t.Fatal(err)
	}
	items, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	got := fmt.Sprint(items)
	const want = "[map[lastTransitionTime:2026-03-01T12:00:00Z message: reason:Broken severity:Info status:False type:Ready]" +
		" map[lastTransitionTime:2026-03-01T12:00:00Z message: reason:Fine status:True type:Other]]"
	if got != want || item["status"] != "True" {
		t.Errorf("the conditions are\n%s, want\n%s; the old one is %v", got, want, item)
	}
	obj.Object["status"] = "no map"
	if err := condition.Store(obj, conditions); err == nil || !strings.Contains(err.Error(), "status.conditions") {
		t.Errorf("the error is %v, want it to name status.conditions", err)
	}
}

func TestAMessageIsTheSameAfterItWasStored(t *testing.T) {
	c := ready(metav1.ConditionTrue, "Fine", noon)
	c.Message = "from a device: \xff"
	var conditions []metav1.Condition
	if _, err := condition.Set(&conditions, c); err != nil || !utf8.ValidString(conditions[0].Message) {
		t.Errorf("the message is %q, %v", conditions[0].Message, err)
	}
}

func ExampleSet() {
	var conditions []metav1.Condition // of a status
	report := func(status metav1.ConditionStatus, reason string, now time.Time) {
		changed, err := condition.Set(&conditions, metav1.Condition{
			Type: "Ready", Status: status, Reason: reason, ObservedGeneration: 1, LastTransitionTime: metav1.NewTime(now),
		})
		fmt.Println(changed, err, "since", conditions[0].LastTransitionTime.UTC().Format(time.TimeOnly))
	}
	noon := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	report(metav1.ConditionFalse, "Waiting", noon)
	report(metav1.ConditionFalse, "Waiting", noon.Add(time.Minute))
	report(metav1.ConditionFalse, "Failed", noon.Add(2*time.Minute))
	report(metav1.ConditionTrue, "Running", noon.Add(3*time.Minute))
	// Output:
	// true <nil> since 12:00:00
	// false <nil> since 12:00:00
	// true <nil> since 12:00:00
	// true <nil> since 12:03:00
}
