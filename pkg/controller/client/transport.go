package client

import (
	"net"
	"net/http"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/throttle"
	"github.com/sluice-k8s/sluice/pkg/controller/internal/transport"
)

// A listener is a transport that hears when the API server asks for patience, and tells the controller whose reconcile made
// the request.
type listener struct{ transport.Layer }

func (l listener) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := l.Next.RoundTrip(request)
	if err == nil {
		throttle.Note(request.Context(), response)
	}
	return response, err
}

// separate gives a config connections of its own, which it would otherwise have together with all others in the process
// that have the same TLS settings. client-go tells them apart by the dialer; see tlsTransportCache in its package transport.
func separate(config *rest.Config) {
	if config.Dial == nil {
		config.Dial = (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext // as client-go
	}
}

// pings sets how HTTP/2 connections are tested. What is set here comes before what client-go has set in
// SetTransportDefaults of apimachinery's package util/net, which is 30 s and 15 s unless the environment says otherwise.
// It must be a transport that no other config shares.
func pings(interval, timeout time.Duration) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		if base, ok := bottom(next).(*http.Transport); ok {
			base.HTTP2 = &http.HTTP2Config{SendPingTimeout: interval, PingTimeout: timeout}
		}
		return next
	}
}

// bottom returns the transport that has the connections.
func bottom(found http.RoundTripper) http.RoundTripper {
	for {
		upper, ok := found.(utilnet.RoundTripperWrapper)
		if !ok {
			return found
		}
		found = upper.WrappedRoundTripper()
	}
}
