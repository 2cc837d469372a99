package cache

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// A byteServer gives one answer after the other, byte by byte, and then none any more. It notes what it is asked. Its
// connections are pipes, so that it works inside synctest.
type byteServer struct {
	client *http.Client

	mu      sync.Mutex
	answers []answer
	asked   []string
	news    chan struct{} // closed when asked grows
}

// An answer is what is sent, and how it ends.
type answer struct {
	code       int // 0: nothing is sent
	retryAfter string
	body       string
	hold       bool // nothing more comes
	cut        bool // the connection is cut
}

func newByteServer(t *testing.T, answers ...answer) *byteServer {
	t.Helper()
	s := &byteServer{answers: answers, news: make(chan struct{})}
	s.client = ServePipes(t, s)
	return s
}

func (s *byteServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := s.next(r)
	time.Sleep(time.Millisecond) // of synctest: what was sent before has arrived everywhere
	if a.retryAfter != "" {
		w.Header().Set("Retry-After", a.retryAfter)
	}
	if strings.HasPrefix(a.body, "{") {
		w.Header().Set("Content-Type", "application/json")
	}
	if a.code != 0 {
		w.WriteHeader(a.code)
		_, _ = w.Write([]byte(a.body))
		_ = http.NewResponseController(w).Flush()
	}
	switch {
	case a.hold:
		<-r.Context().Done()
	case a.cut:
		panic(http.ErrAbortHandler)
	}
}

func (s *byteServer) next(r *http.Request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, summary(r))
	close(s.news)
	s.news = make(chan struct{})
	if len(s.answers) == 0 {
		return answer{hold: true}
	}
	a := s.answers[0]
	s.answers = s.answers[1:]
	return a
}

// summary tells the kinds of requests apart, and what they ask for.
func summary(r *http.Request) string {
	query := r.URL.Query()
	version := query.Get("resourceVersion")
	switch {
	case query.Get("sendInitialEvents") == "true":
		return "watch-list version=" + version
	case query.Has("watch"):
		return "watch version=" + version
	case query.Get("limit") == "1":
		return "probe"
	case query.Has("continue"):
		return "page"
	default:
		return "list version=" + version + " limit=" + query.Get("limit")
	}
}

// request waits for the request with the number, from 0, and returns its summary.
func (s *byteServer) request(t *testing.T, n int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for {
		s.mu.Lock()
		asked, news := s.asked, s.news
		s.mu.Unlock()
		if n < len(asked) {
			return asked[n]
		}
		select {
		case <-news:
		case <-ctx.Done():
			t.Fatalf("request %d did not come; before it came %q", n, asked)
		}
	}
}

// run runs an informer of config maps on the server, until stop is called.
func (s *byteServer) run(t *testing.T, config Config) (i *Informer[*corev1.ConfigMap], stop func()) {
	t.Helper()
	clients, err := kubernetes.NewForConfigAndClient(&rest.Config{Host: "http://bytes", QPS: -1}, s.client)
	if err != nil {
		t.Fatal(err)
	}
	source := FromREST[*corev1.ConfigMap](clients.CoreV1().RESTClient(), "configmaps", RESTOptions{Encoding: JSONEncoding})
	i = NewInformer(source, config)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- i.Run(ctx) }()
	return i, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func refusal(code int, reason, cause string) answer {
	return answer{code: code, body: statusJSON(code, reason, cause)}
}

func stream(events ...string) answer { return answer{code: 200, body: strings.Join(events, "")} }

// open returns an answer after which nothing more comes.
func (a answer) open() answer {
	a.hold = true
	return a
}

func listOf(version, next string, items ...string) answer {
	return answer{code: 200, body: fmt.Sprintf(`{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":%q,"continue":%q},"items":[%s]}`,
		version, next, strings.Join(items, ","))}
}

func sent(kind, object string) string {
	return fmt.Sprintf(`{"type":%q,"object":%s}`+"\n", kind, object)
}

func configMapJSON(name, version string) string {
	return fmt.Sprintf(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":%q,"namespace":"ns","uid":"u","resourceVersion":%q}}`, name, version)
}

func bookmarkJSON(version string) string {
	return sent("BOOKMARK", fmt.Sprintf(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":%q}}`, version))
}

func initialEventsEnd(version string) string {
	return sent("BOOKMARK", fmt.Sprintf(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":%q,"annotations":{"k8s.io/initial-events-end":"true"}}}`, version))
}

func statusJSON(code int, reason, cause string) string {
	details := "{}"
	if cause != "" {
		details = fmt.Sprintf(`{"causes":[{"reason":%q}]}`, cause)
	}
	return fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"no","reason":%q,"details":%s,"code":%d}`, reason, details, code)
}
