package write

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// Create creates an object. One that exists already is an error that apierrors.IsAlreadyExists knows: either the cache is
// behind, or the object is somebody else's. See [Writer.CreateOrUpdate].
//
// One without a name, but with a generateName, gets a name like those of API servers, of the writer: if an answer is lost the
// same name is tried again, up to [Config.Attempts] times in all, so that there is only one object in the end. Who gives up
// then does not know whether there is one: names that follow from what an object is for are safer.
func (w *Writer[T]) Create(ctx context.Context, obj T) (T, error) {
	var none T
	if err := w.checkNew(obj); err != nil {
		return none, w.failed("create", keyOf(obj), err)
	}
	create := w.createNamed
	if obj.GetName() == "" {
		create = w.createGenerated
	}
	created, err := create(ctx, obj)
	if err != nil {
		return none, w.failed("create", cache.KeyOf(obj), err)
	}
	return created, nil
}

func (w *Writer[T]) createNamed(ctx context.Context, obj T) (T, error) {
	return w.Client(obj.GetNamespace()).Create(ctx, obj, metav1.CreateOptions{})
}

// checkNew is check for an object that may have no name yet.
func (w *Writer[T]) checkNew(obj T) error {
	var none T
	if obj == none || obj.GetGenerateName() == "" {
		return w.check(obj)
	}
	return w.checkNamespace(obj.GetNamespace())
}

// Update replaces an object, if it has not changed since it was read: else the error is a conflict. It needs the resource
// version. Nothing is sent if the view has an equal object in the same version.
//
// It removes what T does not know, and what was removed when the object was cached: prefer [Writer.Change].
func (w *Writer[T]) Update(ctx context.Context, obj T) (T, Effect, error) {
	var none T
	err := w.check(obj)
	if err == nil && obj.GetResourceVersion() == "" {
		err = errNoVersion
	}
	if err != nil {
		return none, Unchanged, w.failed("update", keyOf(obj), err)
	}
	key := cache.KeyOf(obj)
	if cached, ok := w.cached(key); ok && isEqual(cached, obj) {
		w.counts.unchanged.Add(1)
		return cached, Unchanged, nil
	}
	updated, err := w.Client(key.Namespace).Update(ctx, obj, metav1.UpdateOptions{})
	if err != nil {
		return none, Unchanged, w.failed("update", key, err)
	}
	return updated, w.counts.sent(effectOn(obj, updated)), nil
}

var errNoVersion = errors.New("metadata.resourceVersion is empty: pass an object that was read from the API server")
