package manager_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sluice-k8s/sluice/pkg/controller/manager"
)

// ask asks for a page as from somewhere.
func ask(handler http.Handler, change func(r *http.Request)) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodGet, "http://localhost:8081/readyz", http.NoBody)
	request.RemoteAddr = "127.0.0.1:40000"
	change(request)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

func TestHealthPages(t *testing.T) {
	d := &diary{}
	secret := errors.New(`<script> of "db-password"`)
	config := manager.Config{Name: "test", Informers: runners{part{name: "informer", diary: d, ready: func() error { return secret }}}}
	unready := running(t, config)
	config.Informers = nil
	ready := running(t, config)

	for name, test := range map[string]struct {
		handler http.Handler
		change  func(r *http.Request)
		code    int
		body    string
		lacks   string
	}{
		"live":           {unready, path("/livez"), 200, "ok", ""},
		"healthz":        {unready, path("/healthz"), 200, "ok", ""},
		"live, verbose":  {unready, path("/livez?verbose"), 200, "[+]stop ok\nlivez check passed\n", ""},
		"ready":          {ready, path("/readyz"), 200, "ok", ""},
		"ready, verbose": {ready, path("/readyz?verbose=1"), 200, "[+]running ok\n[+]sync ok\n[+]unelected/begins ok\nreadyz check passed\n", ""},
		"not ready": {
			unready, path("/readyz"), 500,
			"[+]running ok\n[+]sync ok\n[-]informers/informer failed: \"<script> of \\\"db-password\\\"\"\n[+]unelected/begins ok\nreadyz check failed\n", "",
		},
		"from elsewhere":    {unready, from("192.0.2.1:99"), 500, "[-]informers/informer failed: reason withheld\n", "password"},
		"from here, IPv6":   {unready, from("[::1]:99"), 500, "password", ""},
		"from here, mapped": {unready, from("[::ffff:127.0.0.1]:99"), 500, "password", ""},
		"from nowhere":      {unready, from(""), 500, "reason withheld", "password"},
		"by another name":   {unready, host("evil.example"), 500, "reason withheld", "password"},
		"by address":        {unready, host("127.0.0.1:8081"), 500, "password", ""},
		"by IPv6 address":   {unready, host("[::1]:8081"), 500, "password", ""},
		"by name only":      {unready, host("localhost"), 500, "password", ""},
		"through a proxy":   {unready, header("X-Forwarded-For", "192.0.2.1"), 500, "reason withheld", "password"},
		"through Envoy":     {unready, header("X-Forwarded-Proto", "http"), 500, "reason withheld", "password"},
		"through a gateway": {unready, header("Via", "1.1 gateway"), 500, "reason withheld", "password"},
		"through another":   {unready, header("Forwarded", "for=192.0.2.1"), 500, "reason withheld", "password"},
		"no such page":      {unready, path("/metrics"), 404, "not found", ""},
		"write":             {unready, method(http.MethodPost), 405, "method not allowed", ""},
		"head":              {unready, method(http.MethodHead), 500, "", ""},
	} {
		got := ask(test.handler, test.change)
		if got.Code != test.code || !strings.Contains(got.Body.String(), test.body) {
			t.Errorf("%s: %d %q, want %d %q", name, got.Code, got.Body, test.code, test.body)
		}
		if test.lacks != "" && strings.Contains(got.Body.String(), test.lacks) {
			t.Errorf("%s: %q tells", name, got.Body)
		}
		if got.Header().Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(got.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("%s: headers %v", name, got.Header())
		}
	}
}

func path(p string) func(*http.Request) {
	return func(r *http.Request) { r.URL.Path, r.URL.RawQuery, _ = strings.Cut(p, "?") }
}

func from(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = address }
}

func host(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }

func method(m string) func(*http.Request) { return func(r *http.Request) { r.Method = m } }

func header(key, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(key, value) }
}

// running runs a manager until the test ends, and waits until it has synced.
func running(t *testing.T, config manager.Config) http.Handler {
	t.Helper()
	synced := make(chan struct{})
	config.Unelected = runners{begins{synced}}
	m, err := manager.New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-synced
	return m.Handler()
}

// begins tells when it begins.
type begins struct{ begun chan struct{} }

func (b begins) Run(ctx context.Context) error {
	close(b.begun)
	<-ctx.Done()
	return nil
}

func (b begins) Name() string { return "begins" }

// The pages are served on a real address until the end.
func TestServesHealth(t *testing.T) {
	begun := make(chan struct{})
	m, err := manager.New(manager.Config{Name: "test", HealthAddress: "127.0.0.1:0", Controllers: runners{begins{begun}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	<-begun
	address := m.Addr()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz?verbose", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), "[+]controllers/begins ok") {
		t.Errorf("%d %q, %v", response.StatusCode, body, err)
	}
	_ = response.Body.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := client.Do(request.WithContext(t.Context())); err == nil || m.Addr() != "" {
		t.Errorf("still served: %v, at %q", err, m.Addr())
	}
}

func TestAnAddressThatIsTakenIsAnError(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	d := &diary{}
	m, err := manager.New(manager.Config{
		Name: "test", HealthAddress: listener.Addr().String(), Informers: runners{part{name: "informer", diary: d}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "serve health") {
		t.Errorf("Run: %v", err)
	}
	d.lacks(t, "informer starts")
}
