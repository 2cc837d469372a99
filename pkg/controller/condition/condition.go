package condition

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
)

// MaxMessage is how many bytes a message may have. [Set] cuts what is longer, and replaces what is no UTF-8.
const MaxMessage = 32 * 1024

// Set makes the condition of its type what it is to be, and says whether that has changed anything. A condition that is not
// there yet is appended; else it stays where it is.
//
// LastTransitionTime is the time now: it is taken, in whole seconds, when the condition is new or its status changes; else
// the one that is there stays. ObservedGeneration is the generation of the object that the condition is about. Everything but
// the message and the generation is required. What the API server would refuse is an error that names the field, and changes
// nothing.
func Set(conditions *[]metav1.Condition, condition metav1.Condition) (changed bool, err error) {
	condition.Message = cut(condition.Message)
	if errs := validation.ValidateCondition(condition, nil); len(errs) > 0 {
		return false, fmt.Errorf("condition %q: %w", condition.Type, errs.ToAggregate())
	}
	condition.LastTransitionTime = condition.LastTransitionTime.Rfc3339Copy()
	at := index(*conditions, condition.Type)
	if at < 0 {
		*conditions = append(slices.Clip(*conditions), condition)
		return true, nil
	}
	had := (*conditions)[at]
	if had.Status == condition.Status && !had.LastTransitionTime.IsZero() {
		condition.LastTransitionTime = had.LastTransitionTime
	}
	if had == condition {
		return false, nil
	}
	*conditions = slices.Clone(*conditions)
	(*conditions)[at] = condition
	return true, nil
}

// Remove removes the condition of a type, and says whether there was one. The others stay in order.
func Remove(conditions *[]metav1.Condition, kind string) (changed bool) {
	at := index(*conditions, kind)
	if at < 0 {
		return false
	}
	*conditions = slices.Delete(slices.Clone(*conditions), at, at+1)
	return true
}

// Get returns the condition of a type, and whether there is one.
func Get(conditions []metav1.Condition, kind string) (metav1.Condition, bool) {
	if at := index(conditions, kind); at >= 0 {
		return conditions[at], true
	}
	return metav1.Condition{}, false
}

// Is says whether there is a condition of a type with a status. One that is not there has none, not even Unknown.
func Is(conditions []metav1.Condition, kind string, status metav1.ConditionStatus) bool {
	condition, ok := Get(conditions, kind)
	return ok && condition.Status == status
}

// IsCurrent is [Is] for a condition that is about the generation, or a later one: what an older one says may be over.
func IsCurrent(conditions []metav1.Condition, kind string, status metav1.ConditionStatus, generation int64) bool {
	condition, ok := Get(conditions, kind)
	return ok && condition.Status == status && condition.ObservedGeneration >= generation
}

func index(conditions []metav1.Condition, kind string) int {
	return slices.IndexFunc(conditions, func(c metav1.Condition) bool { return c.Type == kind })
}

// cut shortens a message between two characters, and makes it what the API server would: else it would differ each time.
func cut(message string) string {
	const mark = "…"
	message = strings.ToValidUTF8(message, "\uFFFD")
	if len(message) <= MaxMessage {
		return message
	}
	end := MaxMessage - len(mark)
	for end > 0 && !utf8.RuneStart(message[end]) {
		end--
	}
	return message[:end] + mark
}
