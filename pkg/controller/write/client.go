package write

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
)

// A Client is the part of a typed client, generated or of client-go, that a [Writer] needs. See [Dynamic] for dynamic ones.
type Client[T cache.Object] interface {
	Get(ctx context.Context, name string, opts metav1.GetOptions) (T, error)
	Create(ctx context.Context, obj T, opts metav1.CreateOptions) (T, error)
	Update(ctx context.Context, obj T, opts metav1.UpdateOptions) (T, error)
	Patch(ctx context.Context, name string, kind types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string) (T, error)
	Delete(ctx context.Context, name string, opts metav1.DeleteOptions) error
}

// Client returns a client for a namespace, or for the empty one if the kind has none, for code that expects a client, such
// as package finalizer. What is written through it is recorded and counted as what the writer's own methods write, a dry run
// is not; the field manager defaults to the writer's.
func (w *Writer[T]) Client(namespace string) Client[T] {
	return recorder[T]{w.open(namespace), w, namespace}
}

// A recorder is a client whose writes the next reconcile waits for.
type recorder[T cache.Object] struct {
	Client[T]

	writer    *Writer[T]
	namespace string
}

func (r recorder[T]) Create(ctx context.Context, obj T, opts metav1.CreateOptions) (T, error) {
	r.writer.nameManager(&opts.FieldManager)
	written, err := r.Client.Create(ctx, obj, opts)
	r.writer.record(ctx, &r.writer.counts.created, written, opts.DryRun, err)
	return written, err
}

func (r recorder[T]) Update(ctx context.Context, obj T, opts metav1.UpdateOptions) (T, error) {
	r.writer.nameManager(&opts.FieldManager)
	written, err := r.Client.Update(ctx, obj, opts)
	r.writer.record(ctx, &r.writer.counts.updated, written, opts.DryRun, err)
	return written, err
}

func (r recorder[T]) Patch(
	ctx context.Context, name string, kind types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string,
) (T, error) {
	r.writer.nameManager(&opts.FieldManager)
	written, err := r.Client.Patch(ctx, name, kind, data, opts, subresources...)
	err = redacted(err)
	count := &r.writer.counts.patched
	if kind == types.ApplyPatchType {
		count = &r.writer.counts.applied
	}
	r.writer.record(ctx, count, written, opts.DryRun, err)
	return written, err
}

func (r recorder[T]) Delete(ctx context.Context, name string, opts metav1.DeleteOptions) error {
	known, _ := r.writer.cached(types.NamespacedName{Namespace: r.namespace, Name: name}) // before another may take its name
	err := r.Client.Delete(ctx, name, opts)
	r.writer.recordDelete(ctx, known, opts, err)
	return err
}

func (w *Writer[T]) nameManager(manager *string) {
	if *manager == "" {
		*manager = w.config.FieldManager
	}
}

// record counts a write and tells the controller what it has to see. Fake clients give no resource versions to wait for.
func (w *Writer[T]) record(ctx context.Context, count *counter, written T, dryRun []string, err error) {
	switch {
	case apierrors.IsConflict(err):
		w.counts.conflicts.Add(1)
	case err == nil && len(dryRun) == 0:
		count.Add(1)
		if w.view != nil && written.GetResourceVersion() != "" {
			controller.Wrote(ctx, controller.View[T](w.view), written)
		}
	}
}

// recordDelete is record for a deletion of what is known of the object; nil if nothing is. It is waited for also if the
// object was gone, so that a cache that is behind does not lead to a second try.
func (w *Writer[T]) recordDelete(ctx context.Context, known T, opts metav1.DeleteOptions, err error) {
	if err == nil && len(opts.DryRun) == 0 {
		w.counts.deleted.Add(1)
	}
	if apierrors.IsConflict(err) {
		w.counts.conflicts.Add(1)
	}
	var none T
	isGone := err == nil || apierrors.IsNotFound(err)
	if isGone && known != none && w.view != nil && len(opts.DryRun) == 0 && isFor(opts.Preconditions, known) {
		controller.Deleted(ctx, controller.View[T](w.view), known)
	}
}

func isFor(preconditions *metav1.Preconditions, obj metav1.Object) bool {
	return preconditions == nil || preconditions.UID == nil || *preconditions.UID == obj.GetUID()
}

// Dynamic returns what opens the clients of [New] from a dynamic client: client.Resource(resource). For a kind without
// namespaces, open the empty one.
func Dynamic(client dynamic.NamespaceableResourceInterface) func(namespace string) Client[*unstructured.Unstructured] {
	return func(namespace string) Client[*unstructured.Unstructured] {
		if namespace == "" {
			return dynamicClient{client}
		}
		return dynamicClient{client.Namespace(namespace)}
	}
}

// A dynamicClient drops the subresources of the verbs that typed clients have without.
type dynamicClient struct{ dynamic.ResourceInterface }

func (c dynamicClient) Get(ctx context.Context, name string, opts metav1.GetOptions) (*unstructured.Unstructured, error) {
	return c.ResourceInterface.Get(ctx, name, opts)
}

func (c dynamicClient) Create(
	ctx context.Context, obj *unstructured.Unstructured, opts metav1.CreateOptions,
) (*unstructured.Unstructured, error) {
	return c.ResourceInterface.Create(ctx, obj, opts)
}

func (c dynamicClient) Update(
	ctx context.Context, obj *unstructured.Unstructured, opts metav1.UpdateOptions,
) (*unstructured.Unstructured, error) {
	return c.ResourceInterface.Update(ctx, obj, opts)
}

func (c dynamicClient) Delete(ctx context.Context, name string, opts metav1.DeleteOptions) error {
	return c.ResourceInterface.Delete(ctx, name, opts)
}
