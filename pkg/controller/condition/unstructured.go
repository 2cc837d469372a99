package condition

import (
	"fmt"

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

// Store makes the conditions those at status.conditions.
func Store(obj *unstructured.Unstructured, conditions []metav1.Condition) error {
	items := make([]any, 0, len(conditions))
	for n := range conditions {
		item, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&conditions[n])
		if err != nil {
			return fmt.Errorf("status.conditions[%d]: %w", n, err)
		}
		items = append(items, item)
	}
	if err := unstructured.SetNestedSlice(obj.Object, items, "status", "conditions"); err != nil {
		return fmt.Errorf("status.conditions: %w", err)
	}
	return nil
}
