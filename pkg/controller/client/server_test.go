package client_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/pkg/controller/client"
)

// A server answers requests by a handler and counts its connections.
type server struct {
	*httptest.Server

	mu    sync.Mutex
	conns map[net.Conn]http.ConnState
}

// serve speaks HTTP/2.
func serve(t *testing.T, handler http.HandlerFunc) *server {
	t.Helper()
	s := &server{Server: httptest.NewUnstartedServer(handler), conns: make(map[net.Conn]http.ConnState)}
	s.EnableHTTP2 = true
	s.Config.ConnState = s.note
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func (s *server) note(conn net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[conn] = state
}

// connections returns how many there have been and how many of them are closed.
func (s *server) connections() (all, closed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, state := range s.conns {
		if state == http.StateClosed {
			closed++
		}
	}
	return len(s.conns), closed
}

// config is what a kubeconfig says of the server.
func (s *server) config() *rest.Config {
	return &rest.Config{Host: s.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
}

// dial makes clients by the options, which are closed with the test.
func (s *server) dial(t *testing.T, options client.Options) *client.Clients {
	t.Helper()
	config := s.config()
	if err := options.Apply(config); err != nil {
		t.Fatal(err)
	}
	return dial(t, config)
}

func dial(t *testing.T, config *rest.Config) *client.Clients {
	t.Helper()
	clients, err := client.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(clients.CloseIdle)
	return clients
}

// get asks for a path and returns the answer.
func get(ctx context.Context, clients *client.Clients, path string) ([]byte, error) {
	return clients.Typed.CoreV1().RESTClient().Get().AbsPath(path).DoRaw(ctx)
}
