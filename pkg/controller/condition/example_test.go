package condition_test

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/pkg/controller/condition"
)

// What others say of an object counts only if they have seen its latest spec.
func ExampleIsCurrent() {
	conditions := []metav1.Condition{{Type: "Ready", Status: metav1.ConditionTrue, ObservedGeneration: 2}}
	fmt.Println(condition.Is(conditions, "Ready", metav1.ConditionTrue))
	fmt.Println(condition.IsCurrent(conditions, "Ready", metav1.ConditionTrue, 3))
	// Output:
	// true
	// false
}
