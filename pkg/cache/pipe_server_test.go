package cache

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"
)

// ServePipes serves until the test ends, and returns the client, which reaches this server whatever the address. There is no
// network: the connections are pipes, so that it works inside synctest.
func ServePipes(t *testing.T, handler http.Handler) *http.Client {
	t.Helper()
	listener := pipeListener{dialled: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	done := make(chan error)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Shutdown(context.Background()), <-done); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return &http.Client{Transport: &http.Transport{
		DialContext:       listener.dial,
		DisableKeepAlives: true, // a request on a used connection is repeated by itself
	}}
}

// A pipeListener accepts what is dialled in the same process.
type pipeListener struct {
	dialled chan net.Conn
	closed  chan struct{}
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.dialled:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l pipeListener) Close() error {
	close(l.closed)
	return nil
}

func (l pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (l pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.dialled <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
