package integration_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"
)

// A proxy stands between clients and the API server. It speaks plain HTTP with the clients, and has the rights of its config.
// It passes everything on, unless it is told to keep answers back, or to lose requests.
type proxy struct {
	address string
	answers barrier
	loses   atomic.Pointer[func(*http.Request) bool] // nil if nothing is lost
}

func newProxy(t *testing.T, config *rest.Config) *proxy {
	t.Helper()
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	upstream, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	reverse := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		Transport:      transport,
		ModifyResponse: p.answer,
		ErrorHandler:   func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		FlushInterval:  -1,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if loses := p.loses.Load(); loses != nil && (*loses)(r) {
			_, _ = io.Copy(io.Discard, r.Body) // or it is not seen when the client gives up
			<-r.Context().Done()
			return
		}
		reverse.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		(&http.Client{Transport: transport}).CloseIdleConnections()
	})
	p.address = server.URL
	return p
}

// config is that of a client whose requests go through the proxy.
func (p *proxy) config(userAgent string) *rest.Config {
	return &rest.Config{Host: p.address, UserAgent: userAgent, QPS: -1}
}

// lose has requests never be answered, nor reach the API server. Those that have are.
func (p *proxy) lose(what func(*http.Request) bool) { p.loses.Store(&what) }

// answer lets the answer's head pass. Its body comes when it may.
func (p *proxy) answer(response *http.Response) error {
	response.Body = &slowBody{response.Body, response.Request, &p.answers}
	return nil
}

type slowBody struct {
	io.ReadCloser

	request *http.Request
	barrier *barrier
}

func (b *slowBody) Read(data []byte) (int, error) {
	n, err := b.ReadCloser.Read(data)
	if !b.barrier.pass(b.request.Context(), b.request) {
		return 0, b.request.Context().Err()
	}
	return n, err
}

// A barrier keeps answers back, until it is lifted. The zero value lets everything pass.
type barrier struct {
	mu     sync.Mutex
	stops  func(*http.Request) bool // nil if nothing is kept back
	lifted chan struct{}
}

// lower keeps back the answers to those requests.
func (b *barrier) lower(stops func(*http.Request) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stops, b.lifted = stops, make(chan struct{})
}

func (b *barrier) lift() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stops = nil
	close(b.lifted)
}

// pass waits until the answer may pass. It returns false when the context is done first.
func (b *barrier) pass(ctx context.Context, request *http.Request) bool {
	b.mu.Lock()
	stops, lifted := b.stops, b.lifted
	b.mu.Unlock()
	if stops == nil || !stops(request) {
		return true
	}
	select {
	case <-lifted:
		return true
	case <-ctx.Done():
		return false
	}
}

func isWatch(request *http.Request) bool { return request.URL.Query().Get("watch") != "" }
