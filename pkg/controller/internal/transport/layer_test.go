package transport_test

import (
	"net/http"
	"testing"

	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/transport"
)

// A bottom is where requests end.
type bottom struct{ requests, closed int }

func (b *bottom) RoundTrip(*http.Request) (*http.Response, error) {
	b.requests++
	return &http.Response{}, nil
}

func (b *bottom) CloseIdleConnections() { b.closed++ }

// What is below a layer is found through it, and through what embeds it.
func TestALayerIsLookedThrough(t *testing.T) {
	b := &bottom{}
	var upper http.RoundTripper = &struct{ transport.Layer }{transport.Layer{Next: transport.Layer{Next: b}}}
	found := upper
	for {
		wrapper, ok := found.(utilnet.RoundTripperWrapper)
		if !ok {
			break
		}
		found = wrapper.WrappedRoundTripper()
	}
	response, err := (&http.Client{Transport: upper}).Get("http://server")
	if err != nil || response == nil {
		t.Fatal(err)
	}
	(&http.Client{Transport: upper}).CloseIdleConnections()
	if found != http.RoundTripper(b) || b.requests != 1 || b.closed != 1 {
		t.Errorf("found is %T; it had %d requests and was closed %d times", found, b.requests, b.closed)
	}
}
