package cache

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// WaitForObject waits until the content is not older than an object that a write has returned: it has the object in that
// version or a later one, or is at a later version without it. Unlike [Indexer.WaitUntil] it does not wait for namespaces or
// objects that the write did not touch. A write that takes the last finalizer of a deleted object makes no new version: it
// waits until the object is gone. It returns the errors of WaitUntil.
func (i *Indexer[T]) WaitForObject(ctx context.Context, written T) error {
	key, version, gone := KeyOf(written), written.GetResourceVersion(), isReleased(written)
	err := i.waiters.until(ctx, func() bool {
		cached, ok := i.Get(key)
		if gone && ok && cached.GetUID() == written.GetUID() {
			return false
		}
		return ok && reached(cached.GetResourceVersion(), version) || reached(i.ResourceVersion(), version)
	})
	if err != nil {
		return fmt.Errorf("cache: wait for %q in resource version %q: %w", key, version, err)
	}
	return nil
}

// WaitForDeletion waits until an object that was deleted is not cached any more, or is marked as being deleted. The object
// is what was known of it before. It returns the errors of WaitUntil.
func (i *Indexer[T]) WaitForDeletion(ctx context.Context, deleted T) error {
	key := KeyOf(deleted)
	err := i.waiters.until(ctx, func() bool {
		cached, ok := i.Get(key)
		return !ok || cached.GetUID() != deleted.GetUID() || cached.GetDeletionTimestamp() != nil
	})
	if err != nil {
		return fmt.Errorf("cache: wait for the deletion of %q: %w", key, err)
	}
	return nil
}

// isReleased says whether an object is being deleted, and no finalizer and no grace period holds it any more.
func isReleased(obj metav1.Object) bool {
	grace := obj.GetDeletionGracePeriodSeconds()
	return obj.GetDeletionTimestamp() != nil && len(obj.GetFinalizers()) == 0 && (grace == nil || *grace == 0)
}
