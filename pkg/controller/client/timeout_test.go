package client_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/sluice-k8s/sluice/pkg/controller/client"
)

// slow answers by path: nothing at all, a half, or what is asked for, once it may.
func slow(t *testing.T) (s *server, may chan struct{}) {
	t.Helper()
	may = make(chan struct{})
	return serve(t, func(w http.ResponseWriter, request *http.Request) {
		switch request.URL.Path {
		case "/half":
			flush(w, "half of it")
			<-request.Context().Done()
		case "/never":
			<-request.Context().Done()
		default:
			flush(w, "first\n")
			select {
			case <-may:
				flush(w, "second\n")
			case <-request.Context().Done():
			}
		}
	}), may
}

func flush(w http.ResponseWriter, text string) {
	_, _ = io.WriteString(w, text)
	w.(http.Flusher).Flush()
}

// timesOut makes a request that is late.
func timesOut(t *testing.T, clients *client.Clients, path string) {
	t.Helper()
	_, err := get(t.Context(), clients, path)
	late, ok := errors.AsType[*client.TimeoutError](err)
	if !ok || late.Path != path || late.Method != http.MethodGet {
		t.Errorf("%s returned %v, want its time-out", path, err)
	}
	if netErr, ok := errors.AsType[net.Error](err); !ok || !netErr.Timeout() || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v does not say to others that it is a time-out", err)
	}
}

func TestTimeoutBoundsTheWholeAnswer(t *testing.T) {
	s, _ := slow(t)
	clients := s.dial(t, client.Options{Timeout: 50 * time.Millisecond})
	timesOut(t, clients, "/never")
	timesOut(t, clients, "/half")
}

func TestWhatIsMeantToLastHasNoTimeout(t *testing.T) {
	for name, path := range map[string]string{
		"watch":            "/api/v1/pods?watch=true",
		"watch, old style": "/api/v1/watch/pods",
		"watch in a group": "/apis/apps/v1/watch/deployments",
		"behind a proxy":   "/clusters/one/api/v1/pods?watch=1",
		"log":              "/api/v1/namespaces/shop/pods/web/log?follow=true",
		"proxy":            "/api/v1/namespaces/shop/services/web/proxy/some/page",
		"node":             "/api/v1/nodes/n1/proxy",
	} {
		t.Run(name, func(t *testing.T) {
			s, may := slow(t)
			clients := s.dial(t, client.Options{Timeout: 20 * time.Millisecond})
			stream, err := clients.Typed.CoreV1().RESTClient().Get().RequestURI(path).Stream(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			timesOut(t, clients, "/never") // began later, and is over
			close(may)
			lines := bufio.NewScanner(stream)
			for _, want := range []string{"first", "second"} {
				if !lines.Scan() || lines.Text() != want {
					t.Errorf("read %q, %v, want %q", lines.Text(), lines.Err(), want)
				}
			}
		})
	}
}

func TestWhatOnlyLooksAsIfItLastsHasATimeout(t *testing.T) {
	s := serve(t, func(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() })
	clients := s.dial(t, client.Options{Timeout: 20 * time.Millisecond})
	for _, path := range []string{
		"/api/v1/pods?watch=false", "/api/v1/namespaces/watch/pods", "/api/v1/namespaces/shop/configmaps/log", "/apis/apps/v1/deployments/exec",
	} {
		_, err := clients.Typed.CoreV1().RESTClient().Get().RequestURI(path).DoRaw(t.Context())
		if _, ok := errors.AsType[*client.TimeoutError](err); !ok {
			t.Errorf("%s returned %v, want a time-out", path, err)
		}
	}
}

func TestEndOfTheCallersContextIsNoTimeout(t *testing.T) {
	s, _ := slow(t)
	clients := s.dial(t, client.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := get(ctx, clients, "/half")
	if _, ok := errors.AsType[*client.TimeoutError](err); ok || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the request returned %v, want the end of its context", err)
	}
}

func TestNegativeTimeoutIsNone(t *testing.T) {
	s, may := slow(t)
	patient := s.dial(t, client.Options{Timeout: -1})
	answer := make(chan error, 1)
	go func() {
		_, err := get(context.Background(), patient, "/answer")
		answer <- err
	}()
	timesOut(t, s.dial(t, client.Options{Timeout: 20 * time.Millisecond}), "/never")
	close(may)
	if err := <-answer; err != nil {
		t.Error(err)
	}
}
