package write

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// Apply makes the fields of a configuration what they are in it, by server-side apply, and removes those that the field
// manager applied before and are no longer in it. It needs [Config.FieldManager]; no other program may use the same one. The
// configuration is one of client-go's or a generated one, whole each time; or see [FromUnstructured]. A field that another
// manager owns with another value is a [ConflictError], unless there is [Config.Force].
//
// Nothing is sent if the same configuration was applied last, and the view shows that nobody has changed since what it is
// about. It must be sure of that: the object has the same version; or the same UID, content and managed fields of the
// manager, whatever its status. In a cache without managed fields, the generation, if the type has one, takes their place;
// else only the same version counts.
//
// Effects are told from the view: Created, if it has no such object. Without a view they are all Updated.
func (w *Writer[T]) Apply(ctx context.Context, configuration runtime.ApplyConfiguration) (T, Effect, error) {
	return w.apply(ctx, "apply", configuration, "")
}

// ApplyStatus is [Writer.Apply] for the subresource status. The object must exist.
func (w *Writer[T]) ApplyStatus(ctx context.Context, configuration runtime.ApplyConfiguration) (T, Effect, error) {
	return w.apply(ctx, "apply the status of", configuration, status)
}

// FromUnstructured makes a configuration of an object that holds the fields to apply, with apiVersion, kind and name, and
// without managedFields.
func FromUnstructured(obj *unstructured.Unstructured) runtime.ApplyConfiguration {
	return fromUnstructured{obj}
}

type fromUnstructured struct{ *unstructured.Unstructured }

func (fromUnstructured) IsApplyConfiguration() {}

func (w *Writer[T]) apply(
	ctx context.Context, verb string, configuration runtime.ApplyConfiguration, subresource string,
) (T, Effect, error) {
	var none T
	c, err := w.parse(configuration, subresource)
	if err != nil {
		return none, Unchanged, w.failed(verb, c.key, err)
	}
	cached, ok := w.cached(c.key)
	if ok && w.applied.holds(c, cached, w.config.FieldManager) {
		w.counts.unchanged.Add(1)
		return cached, Unchanged, nil
	}
	force := w.config.Force
	result, err := w.Client(c.key.Namespace).Patch(ctx, c.key.Name, types.ApplyPatchType, c.data,
		metav1.PatchOptions{Force: &force}, subresources(subresource)...)
	if err != nil {
		w.applied.forget(c.id)
		return none, Unchanged, w.failed(verb, c.key, conflictOf(err))
	}
	if w.view == nil {
		return result, Updated, nil
	}
	w.applied.remember(c, result, w.config.FieldManager)
	switch {
	case ok && cached.GetUID() == result.GetUID():
		return result, w.counts.sent(effectOn(cached, result)), nil
	case subresource == "":
		return result, Created, nil
	default:
		return result, Updated, nil
	}
}

// A configuration is what Apply sends.
type configuration struct {
	id

	data   []byte
	hash   [sha256.Size]byte
	status bool // has one
	pinned bool // is for one version of the object
}

// An id tells apart what the same manager applies.
type id struct {
	key         types.NamespacedName
	subresource string
}

func (w *Writer[T]) parse(from runtime.ApplyConfiguration, subresource string) (configuration, error) {
	if from == nil {
		return configuration{}, errors.New("the configuration is nil")
	}
	fields, err := treeOf(from)
	if err != nil {
		return configuration{}, fmt.Errorf("the configuration %w", err)
	}
	metadata, _ := fields["metadata"].(map[string]any)
	c := configuration{id: id{subresource: subresource}}
	c.key.Name, _ = metadata["name"].(string)
	c.key.Namespace, _ = metadata["namespace"].(string)
	_, c.status = fields[status]
	_, c.pinned = metadata["resourceVersion"]
	if err := w.checkConfiguration(c, fields, metadata); err != nil {
		return c, err
	}
	c.data, err = fields.encode()
	c.hash = sha256.Sum256(c.data)
	return c, err
}

func (w *Writer[T]) checkConfiguration(c configuration, fields, metadata map[string]any) error {
	switch {
	case w.config.FieldManager == "":
		return errors.New("FieldManager of the Config is empty")
	case fields["apiVersion"] == nil || fields["apiVersion"] == "":
		return errors.New("apiVersion is empty")
	case fields["kind"] == nil || fields["kind"] == "":
		return errors.New("kind is empty")
	case metadata["managedFields"] != nil:
		return errors.New("metadata.managedFields is set")
	default:
		return w.checkKey(c.key)
	}
}
