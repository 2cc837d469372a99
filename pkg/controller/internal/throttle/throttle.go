// Package throttle tells a controller that the API server asks one of its reconciles for patience. client-go's clients wait
// and try again by themselves, many times, before a reconcile learns of it.
package throttle

import (
	"context"
	"net/http"
)

// Key finds a Counter in a context.
type Key struct{}

// A Counter counts answers of the API server that ask for patience.
type Counter interface{ Throttled() }

// Note tells the counter in the context of the response's request, if there is one and it asks for patience: with 429, or
// with another error and a Retry-After.
func Note(ctx context.Context, response *http.Response) {
	throttled := response.StatusCode == http.StatusTooManyRequests ||
		response.StatusCode >= http.StatusInternalServerError && response.Header.Get("Retry-After") != ""
	if !throttled {
		return
	}
	if counter, ok := ctx.Value(Key{}).(Counter); ok {
		counter.Throttled()
	}
}
