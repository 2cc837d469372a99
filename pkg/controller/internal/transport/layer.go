// Package transport has what all transports have in common that stand upon another.
package transport

import (
	"net/http"

	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// A Layer is a transport upon another. Those that embed one do more in RoundTrip, and others still find what is below.
type Layer struct{ Next http.RoundTripper }

// RoundTrip is the next one's.
func (l Layer) RoundTrip(request *http.Request) (*http.Response, error) {
	return l.Next.RoundTrip(request)
}

// WrappedRoundTripper makes it a RoundTripperWrapper of apimachinery, which client-go looks through.
func (l Layer) WrappedRoundTripper() http.RoundTripper { return l.Next }

// CloseIdleConnections is what http.Client looks for.
func (l Layer) CloseIdleConnections() { utilnet.CloseIdleConnectionsFor(l.Next) }
