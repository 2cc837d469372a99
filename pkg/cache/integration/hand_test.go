package integration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
)

type (
	configMap = *corev1.ConfigMap
	cronTab   = *stablev1.CronTab
)

// A hand changes objects of one resource in one namespace, as the administrator. What it leads to is the truth: its resource
// is that of a dynamic client.
type hand struct {
	t         *testing.T
	server    server
	namespace string
	resource  dynamic.ResourceInterface
	object    string // what there is but the name, in JSON
}

func newHand(t *testing.T, s server, namespace string, resource schema.GroupVersionResource, object string) hand {
	t.Helper()
	return hand{t, s, namespace, s.dynamic.Resource(resource).Namespace(namespace), object}
}

func configMaps(t *testing.T, s server, namespace string) hand {
	t.Helper()
	return newHand(t, s, namespace, corev1.SchemeGroupVersion.WithResource("configmaps"), `{"apiVersion":"v1","kind":"ConfigMap"}`)
}

func cronTabs(t *testing.T, s server, namespace string) hand {
	t.Helper()
	return newHand(t, s, namespace, stablev1.SchemeGroupVersion.WithResource("crontabs"),
		`{"apiVersion":"stable.example.com/v1","kind":"CronTab","spec":{"schedule":"@hourly","image":"example.com/image"}}`)
}

// put changes the object, or creates it.
func (h hand) put(ctx context.Context, name string) error {
	err := h.patch(ctx, name, fmt.Sprintf(`{"metadata":{"labels":{"value":"%d"}}}`, rand.Uint64()))
	if !apierrors.IsNotFound(err) {
		return err
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON([]byte(h.object)); err != nil {
		return err
	}
	object.SetName(name)
	_, err = h.resource.Create(ctx, object, metav1.CreateOptions{})
	return err
}

func (h hand) patch(ctx context.Context, name, patch string) error {
	_, err := h.resource.Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	return err
}

func (h hand) remove(ctx context.Context, name string) error {
	err := h.resource.Delete(ctx, name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// puts changes or creates the objects, as soon as the server lets it.
func (h hand) puts(names ...string) {
	h.t.Helper()
	for _, name := range names {
		controlplanetest.Await(h.t, func(ctx context.Context) error { return h.put(ctx, name) })
	}
}

func (h hand) removes(names ...string) {
	h.t.Helper()
	for _, name := range names {
		controlplanetest.Await(h.t, func(ctx context.Context) error { return h.remove(ctx, name) })
	}
}

func (h hand) patches(name, patch string) {
	h.t.Helper()
	controlplanetest.Await(h.t, func(ctx context.Context) error { return h.patch(ctx, name, patch) })
}

// version returns that of the server.
func (h hand) version() int {
	h.t.Helper()
	list, err := h.resource.List(h.t.Context(), metav1.ListOptions{})
	if err != nil {
		h.t.Fatal(err)
	}
	return number(h.t, list.GetResourceVersion())
}

// elsewhere changes, n times, what no informer of the test watches.
func (h hand) elsewhere(n int) {
	h.t.Helper()
	secrets := h.server.client.CoreV1().Secrets(h.namespace)
	for range n {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{GenerateName: "elsewhere-"}}
		if _, err := secrets.Create(h.t.Context(), secret, metav1.CreateOptions{}); err != nil {
			h.t.Fatal(err)
		}
	}
}

// busy changes objects at random, whether the server is there or not, until the function that it returns is called.
func (h hand) busy() (rest func()) {
	ctx, cancel := context.WithCancel(h.t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil {
			name := fmt.Sprintf("busy-%d", rand.N(20))
			if rand.N(4) == 0 {
				_ = h.remove(ctx, name)
			} else {
				_ = h.put(ctx, name)
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}
