package finalizer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
)

// attempts is how often [Handle] sends what meets a conflict. There is no wait between them: an object gets a finalizer once,
// and loses it once.
const attempts = 5

// A Client is the part of a typed client, generated or of client-go, that [Handle] needs. That of package write makes the
// next reconcile wait for what was written.
type Client[T metav1.Object] interface {
	Patcher[T]
	Get(ctx context.Context, name string, opts metav1.GetOptions) (T, error)
}

// Handle does all that a finalizer asks of a reconcile, and says whether to go on with the object that it returns:
//
//   - An object that is not being deleted gets the finalizer, if it does not have it. Go on: what is made from now on will be
//     cleaned up.
//   - Of one that is being deleted and has the finalizer, cleanup cleans up; then the finalizer is removed. Do not go on.
//   - One that is being deleted without the finalizer, or is gone, is none of our business. Do not go on.
//
// Cleanup must be able to run again: it does after it has failed, and may once more when the removal has failed. Its error is
// returned, wrapped, and the finalizer stays; so an error of its own may say that there is something left to wait for.
//
// A conflict reads the object again and tries again, up to 5 times in all, so that finalizers of others are neither lost nor
// in the way; cleanup has run once then. If the object has been deleted and made again, the conflict is returned, or, after
// cleanup, nothing is left to do.
func Handle[T metav1.Object](
	ctx context.Context, client Client[T], obj T, name string, cleanup func(ctx context.Context, obj T) error,
) (current T, proceed bool, err error) {
	if name == "" {
		return obj, false, errors.New("finalizer: the name is empty")
	}
	if obj.GetDeletionTimestamp() == nil {
		obj, err = ensure(ctx, client, obj, name)
		switch {
		case apierrors.IsNotFound(err):
			return obj, false, nil
		case err != nil:
			return obj, false, err
		case obj.GetDeletionTimestamp() == nil:
			return obj, true, nil
		}
	}
	if !slices.Contains(obj.GetFinalizers(), name) {
		return obj, false, nil
	}
	if err := cleanup(ctx, obj); err != nil {
		return obj, false, fmt.Errorf("finalizer %q: clean up %q: %w", name, klog.KObj(obj), err)
	}
	return obj, false, release(ctx, client, obj, name)
}

// ensure is Ensure until it meets no conflict, or an object that is being deleted.
func ensure[T metav1.Object](ctx context.Context, client Client[T], obj T, name string) (T, error) {
	for attempt := 1; ; attempt++ {
		ensured, err := Ensure(ctx, client, obj, name)
		if !apierrors.IsConflict(err) || attempt == attempts {
			return ensured, err
		}
		now, err := reread(ctx, client, obj, err)
		if err != nil || now.GetDeletionTimestamp() != nil {
			return now, err
		}
		obj = now
	}
}

// release is Remove until it meets no conflict, or the object is gone.
func release[T metav1.Object](ctx context.Context, client Client[T], obj T, name string) error {
	for attempt := 1; ; attempt++ {
		conflict := Remove(ctx, client, obj, name)
		if !apierrors.IsConflict(conflict) || attempt == attempts {
			return conflict
		}
		now, err := reread(ctx, client, obj, conflict)
		switch {
		case errors.Is(err, conflict), apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		}
		obj = now
	}
}

// reread returns the object as it is, or the conflict if it is another one by now.
func reread[T metav1.Object](ctx context.Context, client Client[T], obj T, conflict error) (T, error) {
	now, err := client.Get(ctx, obj.GetName(), metav1.GetOptions{})
	switch {
	case err != nil:
		return obj, fmt.Errorf("read %q again after a conflict: %w", klog.KObj(obj), err)
	case now.GetUID() != obj.GetUID():
		return obj, conflict
	default:
		return now, nil
	}
}
