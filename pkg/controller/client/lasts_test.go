package client

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A request that leaves HTTP lasts, whatever its path.
func TestAnUpgradeLasts(t *testing.T) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example.com/some/extension", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if lasts(request) {
		t.Error("a request without an upgrade lasts")
	}
	request.Header.Set("Upgrade", "websocket")
	if !lasts(request) {
		t.Error("a request with an upgrade does not last")
	}
}

// What bounds an answer goes with it.
func TestAClosedAnswerHasNoTimer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b := &body{io.NopCloser(strings.NewReader("an answer")), ctx, cancel}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if ctx.Err() == nil {
		t.Error("the timer goes on")
	}
}
