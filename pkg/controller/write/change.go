package write

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

const status = "status"

// CreateOrUpdate makes the object with the key of initial as mutate wants it. The object is read from the view, or from the
// API server if there is no view. If it does not exist, initial is created, as mutate has changed it, whatever UID and version
// it has; else it is changed as [Writer.Change] does. A nil mutate leaves alone what exists.
//
// An object of that name may be somebody else's: package owner, called in mutate, refuses one that has another controller.
//
// Mutate gets the object with what the API server has defaulted, and should set the fields that it wants, not whole structs:
// these lack the defaults, so that each call would send a change that the server takes back, see NoOps of [Status].
func (w *Writer[T]) CreateOrUpdate(ctx context.Context, initial T, mutate func(T) error) (T, Effect, error) {
	if mutate == nil {
		mutate = func(T) error { return nil }
	}
	g := goal[T]{verb: "create or update", obj: initial, create: true, mutate: mutate}
	if err := w.check(initial); err != nil {
		var none T
		return none, Unchanged, w.failed(g.verb, keyOf(initial), err)
	}
	from, ok := w.cached(cache.KeyOf(initial))
	return w.reach(ctx, g, from, ok)
}

// Change changes an object as mutate does. Mutate gets a copy of the object, and, after a conflict, of what the API server
// has then, as often as [Config.Attempts] says; it must not change whose object it is, nor its version. Nothing is sent if it
// changes nothing.
//
// What differs is sent, on condition that the object is the same and has not changed since: so no change of somebody else is
// lost, and neither are fields that T does not know. But a list that differs is sent as a whole, with what T knows of its
// items: where these may have more fields, use [Writer.Apply] or a [JSON] patch.
//
// An object without resource version is read from the API server first; it needs no more than its key. One that was deleted
// and made again meanwhile is a conflict.
func (w *Writer[T]) Change(ctx context.Context, obj T, mutate func(T) error) (T, Effect, error) {
	return w.change(ctx, goal[T]{verb: "change", obj: obj, mutate: mutate})
}

// ChangeStatus is [Writer.Change] for the subresource status. Mutate must change nothing but the status.
func (w *Writer[T]) ChangeStatus(ctx context.Context, obj T, mutate func(T) error) (T, Effect, error) {
	return w.change(ctx, goal[T]{verb: "change the status of", obj: obj, subresource: status, mutate: mutate})
}

func (w *Writer[T]) change(ctx context.Context, g goal[T]) (T, Effect, error) {
	var none T
	err := w.check(g.obj)
	if err == nil && g.mutate == nil {
		err = errors.New("mutate is nil")
	}
	if err != nil {
		return none, Unchanged, w.failed(g.verb, keyOf(g.obj), err)
	}
	return w.reach(ctx, g, g.obj, g.obj.GetResourceVersion() != "")
}

// A goal is what an object is to become.
type goal[T cache.Object] struct {
	verb        string
	obj         T    // of which object; what to create
	create      bool // if it does not exist
	subresource string
	mutate      func(T) error
}

// reach changes the object until it is as the goal says. It begins from what is known of the object, if anything is.
func (w *Writer[T]) reach(ctx context.Context, g goal[T], from T, known bool) (T, Effect, error) {
	var none T
	key := cache.KeyOf(g.obj)
	if !known && (!g.create || w.view == nil) {
		var err error
		if from, err = w.read(ctx, g); err != nil {
			return none, Unchanged, w.failed(g.verb, key, err)
		}
	}
	for attempt := 1; ; attempt++ {
		next, err := g.prepare(from)
		if err != nil {
			return none, Unchanged, w.failed(g.verb, key, err)
		}
		result, effect, err := w.send(ctx, g, from, next)
		if err == nil {
			return result, effect, nil
		}
		if g.isStale(from, err) {
			if err = w.again(ctx, attempt, err); err == nil {
				from, err = w.read(ctx, g)
			}
		}
		if err != nil {
			return none, Unchanged, w.failed(g.verb, key, err)
		}
	}
}

// isStale says whether the error means that the object is not as it was thought to be.
func (g goal[T]) isStale(from T, err error) bool {
	var none T
	switch {
	case from == none: // a quota may be in conflict, too
		return apierrors.IsAlreadyExists(err) || apierrors.IsConflict(err)
	case apierrors.IsNotFound(err):
		return g.create
	default:
		return apierrors.IsConflict(err)
	}
}

// read returns what the API server has; nil if it has none that is to be created.
func (w *Writer[T]) read(ctx context.Context, g goal[T]) (T, error) {
	var none T
	from, err := w.open(g.obj.GetNamespace()).Get(ctx, g.obj.GetName(), metav1.GetOptions{})
	switch {
	case g.create && apierrors.IsNotFound(err):
		return none, nil
	case err != nil:
		return none, err
	case !g.create && g.obj.GetUID() != "" && g.obj.GetUID() != from.GetUID():
		return none, apierrors.NewConflict(schema.GroupResource{Resource: w.kind}, g.obj.GetName(),
			errors.New("metadata.uid differs: it was deleted and made again"))
	default:
		return from, nil
	}
}

// A step is what is to be sent: a patch if the object exists, which is nil if there is nothing to change.
type step[T cache.Object] struct {
	obj   T
	patch tree
}

// prepare mutates a copy.
func (g goal[T]) prepare(from T) (step[T], error) {
	var none T
	base := from
	if from == none {
		base = g.obj
	}
	obj, ok := base.DeepCopyObject().(T)
	if !ok {
		return step[T]{}, fmt.Errorf("a copy of a %T is no such", base)
	}
	if from == none {
		obj.SetUID("")
		obj.SetResourceVersion("")
	}
	before := identityOf(obj)
	if err := g.mutate(obj); err != nil {
		return step[T]{}, fmt.Errorf("mutate: %w", err)
	}
	if err := before.same(identityOf(obj)); err != nil {
		return step[T]{}, fmt.Errorf("mutate has changed %w", err)
	}
	if from == none {
		return step[T]{obj: obj}, nil
	}
	patch, err := diffOf(from, obj)
	if err != nil {
		return step[T]{}, err
	}
	return step[T]{obj, patch}, g.checkParts(patch)
}

// checkParts keeps out of a change of the status what the API server would ignore.
func (g goal[T]) checkParts(patch tree) error {
	if g.subresource == "" {
		return nil
	}
	for part := range patch {
		if part != g.subresource {
			return fmt.Errorf("mutate has changed %s; only %s is written", part, g.subresource)
		}
	}
	return nil
}

func (w *Writer[T]) send(ctx context.Context, g goal[T], from T, next step[T]) (T, Effect, error) {
	var none T
	client := w.Client(g.obj.GetNamespace())
	if from == none {
		created, err := client.Create(ctx, next.obj, metav1.CreateOptions{})
		return created, Created, err
	}
	if len(next.patch) == 0 {
		w.counts.unchanged.Add(1)
		return from, Unchanged, nil
	}
	data, err := next.patch.locked(from).encode()
	if err != nil {
		return none, Unchanged, err
	}
	result, err := client.Patch(ctx, g.obj.GetName(), types.MergePatchType, data, metav1.PatchOptions{}, subresources(g.subresource)...)
	if err != nil {
		return none, Unchanged, err
	}
	return result, w.counts.sent(effectOn(from, result)), g.checkTaken(from, result, next.patch)
}

// checkTaken tells of a status that was written to the object, where the API server takes it only by its subresource.
func (g goal[T]) checkTaken(from, result T, patch tree) error {
	if _, has := patch[status]; !has || g.subresource != "" {
		return nil
	}
	taken, err := diffOf(from, result)
	if err != nil {
		return err
	}
	if _, has := taken[status]; !has {
		return errors.New("the API server has not taken the status: use ChangeStatus")
	}
	return nil
}

func subresources(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}
