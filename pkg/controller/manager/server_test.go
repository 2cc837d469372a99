package manager

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/klog/v2"
)

// pipes is a listener whose connections are in memory, so that time-outs take no time.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accepted:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dial returns a connection to the server.
func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.accepted <- server
	return client
}

// No client holds a connection for long, nor sends a long head.
func TestClientsThatMisbehave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})}
		s := newHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = w.Write([]byte("ok"))
		}), klog.Background())
		var serving sync.WaitGroup
		serving.Go(func() { _ = s.Serve(p) })
		defer serving.Wait()
		defer s.Close()

		const head = "GET /livez HTTP/1.1\r\nHost: localhost\r\n"
		for name, test := range map[string]struct {
			says string
			most time.Duration
			gets string
		}{
			"says nothing":        {"", 10 * time.Second, ""},
			"begins a head":       {head, 5 * time.Second, ""},
			"begins a body":       {head + "Content-Length: 100\r\n\r\n{", 10 * time.Second, ""},
			"keeps the line busy": {head + "\r\n", time.Minute, "200 OK"},
			"has a long head":     {head + "X: " + strings.Repeat("x", 20<<10) + "\r\n\r\n", time.Second, "431"},
		} {
			began := time.Now()
			c := p.dial()
			var writing sync.WaitGroup
			writing.Go(func() { _, _ = io.WriteString(c, test.says) })
			got, _ := io.ReadAll(bufio.NewReader(c)) // until the server closes it
			if took := time.Since(began); took > test.most || !strings.Contains(string(got), test.gets) {
				t.Errorf("a client that %s: closed after %v, want %v; got %q", name, took, test.most, got)
			}
			_ = c.Close()
			writing.Wait()
		}
	})
}
