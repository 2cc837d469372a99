// Package finalizer adds a finalizer to an object, and removes it when what belongs to the object has been cleaned up.
//
// A finalizer keeps a deleted object in the API server until a controller has cleaned up. [Handle] is the whole way:
//
//	obj, proceed, err := finalizer.Handle(ctx, writer.Client(key.Namespace), obj, "example.com/cleanup",
//		func(ctx context.Context, obj *v1.CronTab) error { … })
//	if err != nil || !proceed {
//		return controller.Retry(err)
//	}
//	// obj has the finalizer: make what needs cleaning up
//
// [Ensure] and [Remove] are its parts. Each is one patch on condition that the object is still the one that was read and has
// not changed since, so that a finalizer of somebody else is never lost: a change in between is a conflict error, to be
// retried with a fresh object.
package finalizer
