package cache

import (
	"context"
	"fmt"
)

// WaitForObject waits until the content is not older than an object that a write has returned: it has the object in that
// version or a later one, or is at a later version without it. Unlike [Indexer.WaitUntil] it does not wait for namespaces or
// objects that the write did not touch. It returns the errors of WaitUntil.
func (i *Indexer[T]) WaitForObject(ctx context.Context, written T) error {
	key, version := KeyOf(written), written.GetResourceVersion()
	err := i.waiters.until(ctx, func() bool {
		cached, ok := i.Get(key)
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
