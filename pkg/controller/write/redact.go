package write

import (
	"errors"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// redacted returns an API server's error of a patch without what it quotes: the whole object, if the patch makes it one that
// can't be decoded, and the values of a configuration that are not of their fields' types. Of a Secret, both would get into
// logs and Events.
func redacted(err error) error {
	refused, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok {
		return err
	}
	if reason, quotes := undecodable(refused.ErrStatus); quotes {
		return withMessage(refused.ErrStatus, "the patch makes it no valid object: "+reason)
	}
	if before, _, quotes := strings.Cut(refused.ErrStatus.Message, ", got &"); quotes {
		return withMessage(refused.ErrStatus, before)
	}
	return err
}

// undecodable returns why the API server could not decode what a patch has made, and whether that is what it says.
func undecodable(status metav1.Status) (reason string, is bool) {
	if status.Details == nil {
		return "", false
	}
	for _, cause := range status.Details.Causes {
		if cause.Field == "patch" {
			_, value, _ := strings.Cut(cause.Message, "Invalid value: ")
			quoted, err := strconv.QuotedPrefix(value)
			if err != nil {
				return "the reason is left out, it quotes the object", true
			}
			return strings.TrimPrefix(value[len(quoted):], ": "), true
		}
	}
	return "", false
}

// withMessage returns an error of the same kind that says something else, and names no causes.
func withMessage(status metav1.Status, message string) error {
	status.Message = message
	if status.Details != nil {
		status.Details = status.Details.DeepCopy()
		status.Details.Causes = nil
	}
	return &apierrors.StatusError{ErrStatus: status}
}
