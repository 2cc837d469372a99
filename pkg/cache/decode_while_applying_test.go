package cache

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// A handover is two objects, each of which waits for the other: the server sends the second when the first is being applied,
// and the first is applied when the second has been decoded.
type handover struct {
	applying, decoded chan struct{}
	waited            atomic.Bool // in vain
}

func (h *handover) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	send := func(event string) {
		_, _ = w.Write([]byte(event))
		_ = http.NewResponseController(w).Flush()
	}
	w.Header().Set("Content-Type", "application/json")
	send(initialEventsEnd("1"))
	send(sent("ADDED", configMapJSON("first", "2")))
	h.wait(h.applying)
	send(sent("ADDED", configMapJSON("second", "3")))
	<-r.Context().Done()
}

// transform runs when an object has been decoded.
func (h *handover) transform(obj *corev1.ConfigMap) (*corev1.ConfigMap, error) {
	if obj.Name == "second" {
		close(h.decoded)
	}
	return obj, nil
}

// index runs while an object is applied.
func (h *handover) index(obj *corev1.ConfigMap) ([]string, error) {
	if obj.Name == "first" {
		close(h.applying)
		h.wait(h.decoded)
	}
	return nil, nil
}

func (h *handover) wait(until <-chan struct{}) {
	select {
	case <-until:
	case <-time.After(time.Minute):
		h.waited.Store(true)
	}
}

// A long transaction holds nobody up who reads: what comes meanwhile is decoded and transformed, and waits to be applied.
func TestObjectsAreDecodedWhileOthersAreApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &handover{applying: make(chan struct{}), decoded: make(chan struct{})}
		clients, err := kubernetes.NewForConfigAndClient(&rest.Config{Host: "http://bytes", QPS: -1}, ServePipes(t, h))
		if err != nil {
			t.Fatal(err)
		}
		source := FromREST[*corev1.ConfigMap](clients.CoreV1().RESTClient(), "configmaps", RESTOptions{Encoding: JSONEncoding})
		i := NewInformer(source, Config{Silence: time.Hour}, h.transform)
		AddIndex(i.Indexer(), "handover", h.index)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- i.Run(ctx) }()
		if err := i.Indexer().WaitUntil(t.Context(), "3"); err != nil || h.waited.Load() {
			t.Errorf("%v; the second was not decoded while the first was applied: %v", err, h.waited.Load())
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
