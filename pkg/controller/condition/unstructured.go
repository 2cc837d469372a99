package condition

import (
	"fmt"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Of returns the conditions at status.conditions; none if there are none there.
func Of(obj *unstructured.Unstructured) ([]metav1.Condition, error) {
	var holder struct {
		Status struct {
			Conditions []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &holder); err != nil {
		return nil, fmt.Errorf("status.conditions: %w", err)
	}
	return holder.Status.Conditions, nil
}

// Store makes the conditions those at status.conditions. What [metav1.Condition] does not know stays, in conditions of a type
// that was there.
func Store(obj *unstructured.Unstructured, conditions []metav1.Condition) error {
	old, _, err := unstructured.NestedSlice(obj.Object, "status", "conditions")
	if err != nil {
		return fmt.Errorf("status.conditions: %w", err)
	}
	items := make([]any, 0, len(conditions))
	for n := range conditions {
		known, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&conditions[n])
		if err != nil {
			return fmt.Errorf("status.conditions[%d]: %w", n, err)
		}
		item := foreign(old, conditions[n].Type)
		maps.Copy(item, known)
		items = append(items, item)
	}
	if err := unstructured.SetNestedSlice(obj.Object, items, "status", "conditions"); err != nil {
		return fmt.Errorf("status.conditions: %w", err)
	}
	return nil
}

// foreign returns the fields of a condition that are not those of metav1.Condition.
func foreign(items []any, kind string) map[string]any {
	rest := map[string]any{}
	for _, item := range items {
		if fields, ok := item.(map[string]any); ok && fields["type"] == kind {
			maps.Copy(rest, fields)
			break
		}
	}
	for _, name := range []string{"type", "status", "observedGeneration", "lastTransitionTime", "reason", "message"} {
		delete(rest, name)
	}
	return rest
}
