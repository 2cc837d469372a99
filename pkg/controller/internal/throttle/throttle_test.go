package throttle_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/throttle"
)

type counter int

func (c *counter) Throttled() { *c++ }

func TestNote(t *testing.T) {
	for _, test := range []struct {
		code  int
		after string
		want  counter
	}{
		{http.StatusOK, "", 0},
		{http.StatusOK, "1", 0},
		{http.StatusNotFound, "1", 0},
		{http.StatusTooManyRequests, "", 1},
		{http.StatusTooManyRequests, "1", 1},
		{http.StatusInternalServerError, "", 0},
		{http.StatusServiceUnavailable, "1", 1},
	} {
		t.Run(fmt.Sprintf("%d after %q", test.code, test.after), func(t *testing.T) {
			response := &http.Response{StatusCode: test.code, Header: http.Header{}}
			if test.after != "" {
				response.Header.Set("Retry-After", test.after)
			}
			var got counter
			throttle.Note(context.WithValue(t.Context(), throttle.Key{}, &got), response)
			throttle.Note(t.Context(), response) // nobody counts
			if got != test.want {
				t.Errorf("counted %d, want %d", got, test.want)
			}
		})
	}
}
