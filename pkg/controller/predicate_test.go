package controller_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
)

type (
	podEvent     = cache.Event[*corev1.Pod]
	podPredicate = controller.Predicate[*corev1.Pod]
)

// update returns an event that has changed a pod's metadata.
func update(before, after metav1.ObjectMeta) podEvent {
	return podEvent{Type: cache.Updated, Old: &corev1.Pod{ObjectMeta: before}, Object: &corev1.Pod{ObjectMeta: after}}
}

func TestPredicates(t *testing.T) {
	one := metav1.ObjectMeta{Generation: 1, Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"a": "b"}}
	two := *one.DeepCopy()
	two.Generation = 2
	labelled := *one.DeepCopy()
	labelled.Labels["a"] = "c"
	annotated := *one.DeepCopy()
	annotated.Annotations = nil
	resync := update(one, one)
	resync.Resync = true
	predicates := map[string]podPredicate{
		"generation":  controller.GenerationChanged[*corev1.Pod],
		"labels":      controller.LabelsChanged[*corev1.Pod],
		"annotations": controller.AnnotationsChanged[*corev1.Pod],
	}
	tests := map[string]struct {
		event podEvent
		want  map[string]bool
	}{
		"added":         {podEvent{Type: cache.Added, Object: &corev1.Pod{}}, map[string]bool{"generation": true, "labels": true, "annotations": true}},
		"deleted":       {podEvent{Type: cache.Deleted, Object: &corev1.Pod{}}, map[string]bool{"generation": true, "labels": true, "annotations": true}},
		"resync":        {resync, map[string]bool{"generation": true, "labels": true, "annotations": true}},
		"status only":   {update(one, one), map[string]bool{}},
		"spec":          {update(one, two), map[string]bool{"generation": true}},
		"no generation": {update(metav1.ObjectMeta{}, metav1.ObjectMeta{}), map[string]bool{"generation": true}},
		"label":         {update(one, labelled), map[string]bool{"labels": true}},
		"annotation":    {update(one, annotated), map[string]bool{"annotations": true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for which, predicate := range predicates {
				if got := predicate(test.event); got != test.want[which] {
					t.Errorf("%s: %v, want %v", which, got, test.want[which])
				}
			}
		})
	}
}

func TestPredicatesCombine(t *testing.T) {
	always, never := func(podEvent) bool { return true }, func(podEvent) bool { return false }
	var yes, oui, no, non podPredicate = always, always, never, never
	tests := map[string]struct {
		predicate podPredicate
		want      bool
	}{
		"all of none": {controller.All[*corev1.Pod](), true},
		"all":         {controller.All(yes, oui), true},
		"not all":     {controller.All(yes, no), false},
		"any of none": {controller.Any[*corev1.Pod](), false},
		"any":         {controller.Any(no, yes), true},
		"not any":     {controller.Any(no, non), false},
		"not":         {controller.Not(no), true},
	}
	for name, test := range tests {
		if got := test.predicate(podEvent{}); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
