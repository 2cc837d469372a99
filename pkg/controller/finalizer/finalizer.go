package finalizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
)

// A Patcher is the part of a typed client, generated or of client-go, that changes finalizers.
type Patcher[T metav1.Object] interface {
	Patch(ctx context.Context, name string, kind types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string) (T, error)
}

// Ensure makes sure that the object has the finalizer and returns the object as it is then. An object that has it already
// costs no request. The API server refuses it for an object that is being deleted.
func Ensure[T metav1.Object](ctx context.Context, client Patcher[T], obj T, name string) (T, error) {
	if slices.Contains(obj.GetFinalizers(), name) {
		return obj, nil
	}
	patched, err := patch(ctx, client, obj, append(slices.Clone(obj.GetFinalizers()), name))
	if err != nil {
		return obj, fmt.Errorf("add finalizer %q to %q: %w", name, klog.KObj(obj), err)
	}
	return patched, nil
}

// Remove makes sure that the object does not have the finalizer. An object that does not have it, or is gone, costs no
// more than one request and is no error.
func Remove[T metav1.Object](ctx context.Context, client Patcher[T], obj T, name string) error {
	if !slices.Contains(obj.GetFinalizers(), name) {
		return nil
	}
	rest := slices.DeleteFunc(slices.Clone(obj.GetFinalizers()), func(other string) bool { return other == name })
	_, err := patch(ctx, client, obj, rest)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("remove finalizer %q from %q: %w", name, klog.KObj(obj), err)
	}
	return nil
}

// patch sets the finalizers if the object is as it was read. The API server compares the UID and the resource version of
// a patch with the object's and answers 409 Conflict when one differs.
func patch[T metav1.Object](ctx context.Context, client Patcher[T], obj T, finalizers []string) (T, error) {
	if obj.GetUID() == "" || obj.GetResourceVersion() == "" {
		var none T
		return none, errors.New("the object has no UID or no resource version: pass one that was read from the API server")
	}
	data, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid":             obj.GetUID(),
		"resourceVersion": obj.GetResourceVersion(),
		"finalizers":      finalizers,
	}})
	if err != nil {
		var none T
		return none, err
	}
	return client.Patch(ctx, obj.GetName(), types.MergePatchType, data, metav1.PatchOptions{})
}
