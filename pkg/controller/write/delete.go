package write

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// DeleteOptions say how to delete.
type DeleteOptions struct {
	// AnyVersion deletes the object also if it has changed since it was read, as long as it was not made again.
	AnyVersion bool

	// Propagation says what becomes of the objects that it owns. Defaults to Background: they are deleted afterwards. The API
	// server's own default differs by type; it would leave the Pods of a Job.
	Propagation metav1.DeletionPropagation

	// GracePeriod is how long the object may take to stop, in whole seconds, if its type knows that: Pods do. Nil means what
	// the object says.
	GracePeriod *time.Duration
}

// Delete deletes an object if it is still the one that was read, in the same version; else the error is a conflict. One that
// is gone is no error, and one that is being deleted already costs no request. It needs the UID and the resource version.
//
// Before a child is deleted, ask package owner whether it is one: anybody may have made an object of that name.
func (w *Writer[T]) Delete(ctx context.Context, obj T) error {
	return w.DeleteWith(ctx, obj, DeleteOptions{})
}

// DeleteWith is [Writer.Delete] with options.
func (w *Writer[T]) DeleteWith(ctx context.Context, obj T, options DeleteOptions) error {
	if err := w.checkDelete(obj, options); err != nil {
		return w.failed("delete", keyOf(obj), err)
	}
	if obj.GetDeletionTimestamp() != nil && options.Propagation == "" && options.GracePeriod == nil {
		w.counts.unchanged.Add(1)
		return nil
	}
	key, opts := cache.KeyOf(obj), options.of(obj)
	err := w.open(key.Namespace).Delete(ctx, key.Name, opts)
	w.recordDelete(ctx, obj, opts, err)
	if err != nil && !apierrors.IsNotFound(err) {
		return w.failed("delete", key, err)
	}
	w.applied.forget(id{key: key})
	w.applied.forget(id{key: key, subresource: status})
	return nil
}

func (w *Writer[T]) checkDelete(obj T, options DeleteOptions) error {
	if err := w.check(obj); err != nil {
		return err
	}
	switch {
	case obj.GetUID() == "":
		return errors.New("metadata.uid is empty: pass an object that was read from the API server")
	case obj.GetResourceVersion() == "" && !options.AnyVersion:
		return errNoVersion
	case options.GracePeriod != nil && *options.GracePeriod < 0:
		return errors.New("GracePeriod is negative")
	}
	return nil
}

func (o DeleteOptions) of(obj metav1.Object) metav1.DeleteOptions {
	uid, version, propagation := obj.GetUID(), obj.GetResourceVersion(), o.Propagation
	if propagation == "" {
		propagation = metav1.DeletePropagationBackground
	}
	opts := metav1.DeleteOptions{
		Preconditions:     &metav1.Preconditions{UID: &uid, ResourceVersion: &version},
		PropagationPolicy: &propagation,
	}
	if o.AnyVersion {
		opts.Preconditions.ResourceVersion = nil
	}
	if o.GracePeriod != nil {
		opts.GracePeriodSeconds = new(int64(*o.GracePeriod / time.Second))
	}
	return opts
}
