// Package answer tells apart requests that the API server has refused from those of which nobody knows what came.
package answer

import (
	"errors"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
)

// IsLost says whether the API server may have done what the request asked for, although it has failed: there is no answer, or
// one that can't be read, or one of a proxy or an API server that has lost it itself.
func IsLost(err error) bool {
	if err == nil {
		return false
	}
	if _, ok := errors.AsType[*rest.RequestConstructionError](err); ok {
		return false // it was never sent
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return true
	}
	code := status.Status().Code
	return code < http.StatusBadRequest || code >= http.StatusInternalServerError
}
