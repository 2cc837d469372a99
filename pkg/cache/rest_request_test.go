package cache_test

import (
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// refusals are how an API server, or what stands before it, refuses a request.
func refusals() map[string]struct {
	answer     answer
	is         func(error) bool
	retryAfter int
} {
	later := map[string]string{"Retry-After": "3600"}
	type refusal = struct {
		answer     answer
		is         func(error) bool
		retryAfter int
	}
	return map[string]refusal{
		"400": {answer: statusAnswer(http.StatusBadRequest, metav1.StatusReasonBadRequest, "what?"), is: apierrors.IsBadRequest},
		"401": {answer: statusAnswer(http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "who?"), is: apierrors.IsUnauthorized},
		"403": {answer: statusAnswer(http.StatusForbidden, metav1.StatusReasonForbidden, "no"), is: apierrors.IsForbidden},
		"404": {answer: answer{status: http.StatusNotFound, body: "404 page not found"}, is: apierrors.IsNotFound},
		"410": {answer: statusAnswer(http.StatusGone, metav1.StatusReasonExpired, "too old"), is: apierrors.IsResourceExpired},
		"429": {answer: answer{status: http.StatusTooManyRequests, header: later, body: "later"}, is: apierrors.IsTooManyRequests, retryAfter: 3600},
		"500": {answer: answer{status: http.StatusInternalServerError, header: later}, is: apierrors.IsInternalError, retryAfter: 3600},
		"503": {answer: answer{status: http.StatusServiceUnavailable, header: later}, is: apierrors.IsServiceUnavailable, retryAfter: 3600},
		"504": {answer: answer{status: http.StatusGatewayTimeout}, is: apierrors.IsTimeout},
	}
}

// A refused request is not repeated from within. The caller learns why, and for how long to wait.
func TestRESTSourceIsRefused(t *testing.T) {
	for code, refusal := range refusals() {
		t.Run(code, func(t *testing.T) {
			server := newScript(t, refusal.answer, refusal.answer, refusal.answer)
			source := server.pods(cache.RESTOptions{})
			_, list := source.StreamList(t.Context(), cache.Request[*corev1.Pod]{}, nil)
			_, watch := source.StreamWatch(t.Context(), cache.Request[*corev1.Pod]{})
			_, identities := source.ListIdentities(t.Context(), metav1.ListOptions{}, nil)
			for _, err := range []error{list, watch, identities} {
				if seconds, _ := apierrors.SuggestsClientDelay(err); !refusal.is(err) || seconds != refusal.retryAfter {
					t.Errorf("the error is %v, to be tried again after %d s, want %d s", err, seconds, refusal.retryAfter)
				}
			}
			if got := len(server.requests()); got != 3 {
				t.Errorf("there were %d requests, want one each", got)
			}
		})
	}
}

func TestRESTSourceOfNoServer(t *testing.T) {
	config := cache.ConfigFor(&rest.Config{Host: "http://127.0.0.1:1"}, corev1.SchemeGroupVersion)
	client, err := rest.RESTClientForConfigAndClient(config, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cache.FromREST[*corev1.Pod](client, "pods", cache.RESTOptions{}).List(t.Context(), metav1.ListOptions{}); err == nil {
		t.Error("there is no error")
	}
}

// Whatever encoding was asked for, what the server says is understood.
func TestConfigForReadsStatus(t *testing.T) {
	for _, encoding := range encodings() {
		status := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", nil).ErrStatus
		status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
		status.Message = "not you"
		header := map[string]string{"Content-Type": string(encoding)}
		server := newScript(t, answer{status: http.StatusForbidden, header: header, body: encode(t, encoding, &status)})
		_, err := server.pods(cache.RESTOptions{Encoding: encoding}).List(t.Context(), metav1.ListOptions{})
		if !apierrors.IsForbidden(err) || err.Error() != "not you" {
			t.Errorf("in %s the error is %v", encoding, err)
		}
	}
}

func TestConfigForPaths(t *testing.T) {
	for _, test := range []struct {
		version schema.GroupVersion
		want    string
	}{
		{corev1.SchemeGroupVersion, "/api/v1"},
		{schema.GroupVersion{Group: "stable.example.com", Version: "v1"}, "/apis/stable.example.com/v1"},
	} {
		server := newScript(t, answer{})
		_, _ = server.client(test.version).Get().DoRaw(t.Context())
		server.expectRequests(test.want)
	}
}

// As clients of client-go do, one says who asks.
func TestConfigForUserAgent(t *testing.T) {
	for given, want := range map[string]string{"": rest.DefaultKubernetesUserAgent(), "mine": "mine"} {
		if got := cache.ConfigFor(&rest.Config{UserAgent: given}, corev1.SchemeGroupVersion).UserAgent; got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
}
