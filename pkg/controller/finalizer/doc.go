// Package finalizer adds a finalizer to an object and removes it.
//
// A finalizer keeps a deleted object in the API server until a controller has cleaned up what belongs to it:
//
//	if obj.DeletionTimestamp == nil {
//		obj, err = finalizer.Ensure(ctx, client, obj, "example.com/cleanup") // before anything is made that needs cleaning up
//	} else {
//		// clean up; then let the object go:
//		err = finalizer.Remove(ctx, client, obj, "example.com/cleanup")
//	}
//
// Each is one patch on condition that the object is still the one that was read and has not changed since, so that a
// finalizer of somebody else is never lost: a change in between is a conflict error, to be retried with a fresh object.
package finalizer
