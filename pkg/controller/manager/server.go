package manager

import (
	"context"
	"errors"
	"log" //nolint:depguard // http.Server wants one
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"k8s.io/klog/v2"
)

// Addr returns where the health pages are served, empty if nowhere.
func (m *Manager) Addr() string {
	m.server.mu.Lock()
	defer m.server.mu.Unlock()
	return m.server.address
}

// A server serves the health pages while the manager runs.
type server struct {
	serving sync.WaitGroup
	http    *http.Server // nil unless it serves

	mu      sync.Mutex
	address string
}

// open begins to serve at an address, if it is not empty.
func (s *server) open(ctx context.Context, address string, handler http.Handler) error {
	if address == "" {
		return nil
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	s.move(listener.Addr().String())
	s.http = newHTTPServer(handler, klog.FromContext(ctx))
	klog.FromContext(ctx).Info("Serving health", "address", listener.Addr().String())
	s.serving.Go(func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			klog.FromContext(ctx).Error(err, "Health is not served any more")
		}
	})
	return nil
}

// newHTTPServer returns a server that no slow client holds up. What is asked for takes a few bytes.
func newHTTPServer(handler http.Handler, logger klog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          log.New(troubles{logger}, "", 0),
		BaseContext:       func(net.Listener) context.Context { return klog.NewContext(context.Background(), logger) },
	}
}

// troubles logs what the server has trouble with.
type troubles struct{ logger klog.Logger }

func (t troubles) Write(line []byte) (int, error) {
	t.logger.Info("Trouble with a request for health", "err", strings.TrimSpace(string(line)))
	return len(line), nil
}

// closing is how long answers may take that were begun.
const closing = time.Second

func (s *server) close() {
	if s.http == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close() // nobody reads what is lost
	}
	s.serving.Wait()
	s.move("")
}

func (s *server) move(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.address = address
}
