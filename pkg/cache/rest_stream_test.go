package cache_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

func openStream[T cache.Object](t *testing.T, source cache.Streamer[T], request cache.Request[T]) cache.Stream[T] {
	t.Helper()
	stream, err := source.StreamWatch(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stream.Close)
	return stream
}

// drain reads until the stream ends and says what came, and why no more.
func drain[T cache.Object](stream cache.Stream[T]) (events []string, end error) {
	for {
		event, err := stream.Next()
		if err != nil {
			return events, err
		}
		events = append(events, string(event.Type)+" "+event.Object.GetName()+" "+event.Object.GetResourceVersion())
	}
}

// Event types that nobody knows are passed on as they are.
func TestRESTStreamInEveryEncoding(t *testing.T) {
	want := []string{"ADDED one 1", "MODIFIED one 2", "DELETED one 3", "BOOKMARK  4", "RENAMED one 5"}
	for _, encoding := range encodings() {
		t.Run(string(encoding), func(t *testing.T) {
			var body strings.Builder
			for _, event := range want {
				part := strings.Split(event, " ")
				pod := somePod(part[1], part[2])
				pod.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
				body.WriteString(encodeEvent(t, encoding, watch.EventType(part[0]), pod))
			}
			server := newScript(t, answer{body: body.String()})
			request := cache.Request[*corev1.Pod]{ListOptions: metav1.ListOptions{ResourceVersion: "1", AllowWatchBookmarks: true}}
			events, end := drain(openStream(t, server.pods(cache.RESTOptions{Encoding: encoding}), request))
			if !slices.Equal(events, want) || !errors.Is(end, io.EOF) {
				t.Errorf("got %q, %v, want %q and an orderly end", events, end, want)
			}
			if got, want := server.last().URL.RawQuery, "allowWatchBookmarks=true&resourceVersion=1&watch=true"; got != want {
				t.Errorf("the query is %q, want %q", got, want)
			}
		})
	}
}

func TestRESTStreamBreaksOff(t *testing.T) {
	for name, answer := range map[string]answer{
		"within a frame":          {body: `{"type":"ADDED","object":{"metadata":`},
		"with the connection":     {body: `{"type":"ADDED","object":{"metadata":`, breaks: true},
		"with it, between frames": {body: "{\"type\":\"ADDED\",\"object\":" + goodObject + "}\n", breaks: true},
	} {
		t.Run(name, func(t *testing.T) {
			_, end := drain(openStream(t, newScript(t, answer).cronTabs(cache.RESTOptions{}), cache.Request[cronTab]{}))
			if !errors.Is(end, io.ErrUnexpectedEOF) {
				t.Errorf("the stream ended with %v, want %v", end, io.ErrUnexpectedEOF)
			}
		})
	}
}

// roundTrip is a connection without a server.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// However a connection fails, the stream has broken off, and so has the list. The reason is told.
func TestRESTStreamOfAFailingConnection(t *testing.T) {
	server := newScript(t)
	server.http = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		body := io.MultiReader(strings.NewReader(`{"kind":`), iotest.ErrReader(errGoAway))
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body)}, nil
	})}
	source := server.pods(cache.RESTOptions{})
	_, watched := drain(openStream(t, source, cache.Request[*corev1.Pod]{}))
	_, listed := source.List(t.Context(), metav1.ListOptions{})
	for _, err := range []error{watched, listed} {
		if !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(err, errGoAway) {
			t.Errorf("the error is %v", err)
		}
	}
}

// A status instead of an event ends the stream.
func TestRESTStreamBringsAStatus(t *testing.T) {
	for _, encoding := range encodings() {
		t.Run(string(encoding), func(t *testing.T) {
			status := apierrors.NewResourceExpired("too old resource version").ErrStatus
			status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
			server := newScript(t, answer{body: encodeEvent(t, encoding, watch.Error, &status) + encodeEvent(t, encoding, watch.Added, somePod("one", "1"))})
			stream := openStream(t, server.pods(cache.RESTOptions{}), cache.Request[*corev1.Pod]{})
			for range 2 {
				if _, err := stream.Next(); !apierrors.IsResourceExpired(err) {
					t.Errorf("the error is %v, want the server's", err)
				}
			}
		})
	}
}

func TestRESTStreamBringsAnErrorOfNoKind(t *testing.T) {
	server := newScript(t, answer{body: `{"type":"ERROR","object":{"code":"many"}}` + "\n"})
	if _, end := drain(openStream(t, server.pods(cache.RESTOptions{}), cache.Request[*corev1.Pod]{})); !strings.Contains(end.Error(), "the server sent an error") {
		t.Errorf("the stream ended with %v", end)
	}
}

func TestRESTStreamIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newScript(t, answer{body: `{"type":"ADDED","obj`, hangs: true})
		ctx, cancel := context.WithCancelCause(t.Context())
		stream, err := server.pods(cache.RESTOptions{}).StreamWatch(ctx, cache.Request[*corev1.Pod]{})
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		time.AfterFunc(time.Second, func() { cancel(errGoAway) }) // when Next waits
		_, err = stream.Next()
		expectCause(t, err)
	})
}

func TestRESTStreamIsCancelledBeforeItIsOpen(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errGoAway)
	_, err := newScript(t).pods(cache.RESTOptions{}).StreamWatch(ctx, cache.Request[*corev1.Pod]{})
	expectCause(t, err)
}

func TestRESTStreamIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newScript(t, answer{body: "{\"type\":\"ADDED\",\"object\":" + goodObject + "}\n", hangs: true})
		stream := openStream(t, server.cronTabs(cache.RESTOptions{}), cache.Request[cronTab]{})
		if _, err := stream.Next(); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, stream.Close) // when Next waits
		if _, err := stream.Next(); err == nil {
			t.Error("an event came from a closed stream")
		}
	})
}

// The time-out that is for requests ends a watch as a server ends it when its time is up.
func TestRESTStreamOutlivesItsClientsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newScript(t, answer{body: "{\"type\":\"ADDED\",\"object\":" + goodObject + "}\n", hangs: true})
		server.http.Timeout = time.Minute
		events, end := drain(openStream(t, server.cronTabs(cache.RESTOptions{}), cache.Request[cronTab]{}))
		if len(events) != 1 || !errors.Is(end, io.EOF) {
			t.Errorf("got %q and %v, want an event and an orderly end", events, end)
		}
		if got := server.last().URL.Query().Get("timeout"); got != "" {
			t.Errorf("the server was told to end the watch after %s", got)
		}
	})
}

// A watch does not stand in the queue of the requests that the client limits: it would come late for its version.
func TestRESTStreamIsNotThrottled(t *testing.T) {
	server := newScript(t, answer{})
	server.config.RateLimiter = flowcontrol.NewFakeNeverRateLimiter()
	if _, end := drain(openStream(t, server.pods(cache.RESTOptions{}), cache.Request[*corev1.Pod]{})); !errors.Is(end, io.EOF) {
		t.Errorf("the stream ended with %v", end)
	}
}

// Initial events of a watch are not decoded either if they are cached; what is deleted is.
func TestRESTStreamKeepsWhatIsKnown(t *testing.T) {
	known := somePod("known", "1")
	body := ""
	for _, event := range []watch.EventType{watch.Added, watch.Modified, watch.Deleted} {
		body += encodeEvent(t, cache.ProtobufEncoding, event, known)
	}
	stream := openStream(t, newScript(t, answer{body: body}).pods(cache.RESTOptions{}), cache.Request[*corev1.Pod]{
		Known: func(id cache.Identity) (*corev1.Pod, bool) { return known, id == cache.IdentityOf(known) },
	})
	for _, want := range []bool{true, true, false} {
		event, err := stream.Next()
		if err != nil || (event.Object == known) != want {
			t.Errorf("a %s event brought the cached object: %t, %v", event.Type, event.Object == known, err)
		}
	}
}
