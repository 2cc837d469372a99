package integration_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/pkg/controller"
)

// A webhook is asked by the API server before a ConfigMap is created in the namespace of the test. It denies, or is broken.
type webhook struct {
	world

	server *httptest.Server
	broken atomic.Bool
	asked  atomic.Int32 // by a keeper
}

// newWebhook returns when the API server asks it.
func newWebhook(w world, broken bool) *webhook {
	w.t.Helper()
	h := &webhook{world: w}
	h.broken.Store(broken)
	h.server = httptest.NewTLSServer(http.HandlerFunc(h.serve))
	w.t.Cleanup(h.server.Close)
	_, err := w.core.AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(w.t.Context(), h.registration(), metav1.CreateOptions{})
	w.must(err)
	w.t.Cleanup(func() {
		if err := h.unregister(context.Background()); err != nil {
			w.t.Error(err)
		}
	})
	controlplanetest.Await(w.t, func(ctx context.Context) error {
		if err := h.probe(ctx); err == nil {
			return errors.New("the webhook is not asked")
		}
		return nil
	})
	return h
}

func (h *webhook) registration() *admissionregistrationv1.ValidatingWebhookConfiguration {
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.server.Certificate().Raw})
	return &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: h.namespace},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name:         "deny.example.com",
			ClientConfig: admissionregistrationv1.WebhookClientConfig{URL: new(h.server.URL), CABundle: certificate},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
			}},
			NamespaceSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: h.namespace}},
			FailurePolicy:           new(admissionregistrationv1.Fail),
			SideEffects:             new(admissionregistrationv1.SideEffectClassNone),
			AdmissionReviewVersions: []string{"v1"},
		}},
	}
}

func (h *webhook) serve(w http.ResponseWriter, r *http.Request) {
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil || h.broken.Load() {
		http.Error(w, "out of order", http.StatusInternalServerError)
		return
	}
	if strings.HasPrefix(review.Request.Name, "tab-") { // the controller manager wants to create one, too
		h.asked.Add(1)
	}
	review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Result: &metav1.Status{Message: "not on my watch"}}
	review.Request = nil
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(review) // whoever asked has gone
}

// probe creates nothing, but asks.
func (h *webhook) probe(ctx context.Context) error {
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "probe-"}}
	_, err := h.core.CoreV1().ConfigMaps(h.namespace).Create(ctx, object, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	return err
}

// remove returns when the API server does not ask it any more.
func (h *webhook) remove() {
	h.t.Helper()
	h.must(h.unregister(h.t.Context()))
	controlplanetest.Await(h.t, h.probe)
}

func (h *webhook) unregister(ctx context.Context) error {
	return h.core.AdmissionregistrationV1().ValidatingWebhookConfigurations().DeleteCollection(ctx, metav1.DeleteOptions{},
		metav1.ListOptions{FieldSelector: "metadata.name=" + h.namespace})
}

// What a webhook denies is not asked for again: the key is parked with the reason, until what is wished changes.
func TestWebhookDenies(t *testing.T) {
	w := newWorld(t)
	h := newWebhook(w, false)
	s := w.newKeeper().play(t, controller.Config[key]{})
	names := names(3)
	w.wish("image:1", names...)
	s.parks(`denied the request: not on my watch`, len(names))
	w.label(names...)
	s.sees(len(names))
	s.parks(`denied the request: not on my watch`, len(names))
	if got := h.asked.Load(); got != int32(len(names)) {
		t.Errorf("the webhook was asked %d times, want once for each of %d", got, len(names))
	}
	h.remove()
	if got := s.controller.Status(); got.Parked != len(names) || got.Reconciles != len(names) {
		t.Errorf("nothing has changed and keys ran: %+v", got)
	}
	w.change("image:2", names...)
	w.converges("image:2", names...)
	s.settles()
}

// parks waits until n keys are parked, for a reason that contains the words.
func (s *scene) parks(words string, n int) {
	s.t.Helper()
	controlplanetest.Await(s.t, func(context.Context) error {
		parked := s.controller.Queue().Parked()
		if len(parked) != n {
			return fmt.Errorf("%d keys are parked, want %d: %+v", len(parked), n, s.controller.Status())
		}
		for _, info := range parked {
			if info.LastErr == nil || !strings.Contains(info.LastErr.Error(), words) {
				return fmt.Errorf("%v is parked because of %w, want %q", info.Key, info.LastErr, words)
			}
		}
		return nil
	})
}

// label changes CronTabs, but not what they wish.
func (w world) label(names ...string) {
	w.t.Helper()
	w.patch(`{"metadata":{"labels":{"seen":"yes"}}}`, names...)
}

// sees waits until the cache has n CronTabs that are labelled.
func (s *scene) sees(n int) {
	s.t.Helper()
	controlplanetest.AwaitTrue(s.t, "labels are seen", func() bool {
		seen := 0
		for tab := range s.tabs.Indexer().All() {
			if tab.Labels["seen"] != "" {
				seen++
			}
		}
		return seen == n
	})
}

// A webhook that is broken, or gone, is no verdict on what is asked for: it is asked again, after growing waits.
func TestWebhookIsBroken(t *testing.T) {
	for name, broken := range map[string]func(*webhook){
		"fails":       func(*webhook) {},
		"unreachable": func(h *webhook) { h.server.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			h := newWebhook(w, true)
			broken(h)
			s := w.newKeeper().play(t, controller.Config[key]{})
			names := names(3)
			w.wish("image:1", names...)
			s.fail("failed calling webhook", len(names), 3)
			h.remove()
			w.converges("image:1", names...)
			s.settles()
		})
	}
}
