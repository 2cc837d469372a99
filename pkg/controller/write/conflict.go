package write

import (
	"fmt"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/answer"
)

// A ConflictError is the error of [Writer.Apply] when other managers own fields of the configuration with other values. It
// stays until one of them gives way, or until there is [Config.Force]; so a reconcile may want to park the key.
type ConflictError struct {
	Conflicts []Conflict

	err error // the API server's
}

// A Conflict is about one field.
type Conflict struct {
	// Manager owns the field. It is empty if the API server has not said it in the way that is known.
	Manager string
	// Field is the path of the field, such as ".spec.replicas".
	Field string
}

func (e *ConflictError) Error() string {
	owners := make([]string, 0, len(e.Conflicts))
	for _, conflict := range e.Conflicts {
		owners = append(owners, fmt.Sprintf("%s is owned by %q", printable(conflict.Field), conflict.Manager))
	}
	return "conflict with other field managers: " + strings.Join(owners, ", ")
}

// printable quotes what would disturb a terminal or a log: the keys of a map in a custom resource may be anything.
func printable(field string) string {
	if strings.ContainsFunc(field, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(field)
	}
	return field
}

// Unwrap returns the API server's error, which apierrors.IsConflict knows.
func (e *ConflictError) Unwrap() error { return e.err }

// conflictOf returns the error as a ConflictError if it is about fields.
func conflictOf(err error) error {
	status, _ := answer.StatusOf(err)
	if status.Details == nil {
		return err
	}
	var conflicts []Conflict
	for _, cause := range status.Details.Causes {
		if cause.Type == metav1.CauseTypeFieldManagerConflict {
			conflicts = append(conflicts, Conflict{managerIn(cause.Message), cause.Field})
		}
	}
	if conflicts == nil {
		return err
	}
	return &ConflictError{conflicts, err}
}

// managerIn reads the manager out of messages such as: conflict with "kubectl" using apps/v1.
func managerIn(message string) string {
	quoted, err := strconv.QuotedPrefix(strings.TrimPrefix(message, "conflict with "))
	if err != nil {
		return ""
	}
	manager, err := strconv.Unquote(quoted)
	if err != nil {
		return ""
	}
	return manager
}
