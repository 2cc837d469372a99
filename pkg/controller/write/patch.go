package write

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller/internal/answer"
)

// A Patch says what to change, for [Writer.Patch]. Make one with [Merge], [Strategic], [JSON] or [Raw].
type Patch struct {
	kind        types.PatchType
	data        []byte
	tests       bool // a JSON patch that tests
	locked      bool
	subresource string
	err         error // of the constructor, told by Writer.Patch
}

// Merge returns the JSON merge patch (RFC 7386) that makes before into after. Lists are replaced as a whole.
func Merge[T cache.Object](before, after T) Patch {
	return patchOf(types.MergePatchType, before, after, func() ([]byte, error) {
		patch, err := diffOf(before, after)
		if err != nil {
			return nil, err
		}
		return patch.encode()
	})
}

// Strategic returns the strategic merge patch that makes before into after: it changes items of lists one by one, where the
// Go type says by which field they are told apart. API servers take it for built-in types only; for others it is an error.
func Strategic[T cache.Object](before, after T) Patch {
	return patchOf(types.StrategicMergePatchType, before, after, func() ([]byte, error) {
		if !isBuiltIn(before) {
			return nil, fmt.Errorf("a strategic merge patch is for built-in types, which %T is not: use Merge or Apply", before)
		}
		old, err := json.Marshal(before)
		if err != nil {
			return nil, err
		}
		wanted, err := json.Marshal(after)
		if err != nil {
			return nil, err
		}
		return strategicpatch.CreateTwoWayMergePatch(old, wanted, before)
	})
}

func patchOf[T cache.Object](kind types.PatchType, before, after T, compare func() ([]byte, error)) Patch {
	var none T
	if before == none || after == none {
		return Patch{err: errNil}
	}
	if err := identityOf(before).same(identityOf(after)); err != nil {
		return Patch{err: fmt.Errorf("before and after differ in %w", err)}
	}
	data, err := compare()
	return Patch{kind: kind, data: data, err: err}
}

// isBuiltIn says whether the Go type is one of those that API servers are built with.
func isBuiltIn(obj any) bool {
	path := reflect.TypeOf(obj).Elem().PkgPath()
	return slices.ContainsFunc([]string{"k8s.io/api/", "k8s.io/apiextensions-apiserver/", "k8s.io/kube-aggregator/"},
		func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// JSON returns a JSON patch (RFC 6902). Its operations are applied in order, all or none. See [TestOp] for conditions.
func JSON(operations ...Operation) Patch {
	patch := Patch{kind: types.JSONPatchType}
	for n, operation := range operations {
		if operation.err != nil {
			return Patch{err: fmt.Errorf("operation %d, %s %q: %w", n, operation.Op, operation.Path, operation.err)}
		}
		patch.tests = patch.tests || operation.Op == opTest
	}
	if operations == nil {
		operations = []Operation{}
	}
	patch.data, patch.err = json.Marshal(operations)
	return patch
}

// Raw returns a patch as it is to be sent.
func Raw(kind types.PatchType, data []byte) Patch {
	patch := Patch{kind: kind, data: data}
	switch {
	case kind == types.ApplyYAMLPatchType || kind == types.ApplyCBORPatchType:
		patch.err = errors.New("an apply configuration is no patch: use Apply")
	case !json.Valid(data):
		patch.err = errors.New("the patch is no JSON")
	}
	return patch
}

// Locked returns the patch on condition that the object has not changed since it was read: else the error is a conflict.
func (p Patch) Locked() Patch {
	p.locked = true
	return p
}

// To returns the patch for a subresource, such as "status". That of "scale" is answered with a Scale, which only a dynamic
// client can return: with a typed one patch the replicas in the spec.
func (p Patch) To(subresource string) Patch {
	p.subresource = subresource
	return p
}

// Patch sends a patch for an object, of which a patch that is not [Patch.Locked] needs no more than the key. An empty patch
// is not sent. It is not tried again.
func (w *Writer[T]) Patch(ctx context.Context, obj T, patch Patch) (T, Effect, error) {
	var none T
	err := w.check(obj)
	if err == nil {
		err = patch.check(obj)
	}
	if err == nil && patch.isEmpty() {
		w.counts.unchanged.Add(1)
		return obj, Unchanged, nil
	}
	if err == nil {
		patch, err = patch.lockedTo(obj)
	}
	if err != nil {
		return none, Unchanged, w.failed("patch", keyOf(obj), err)
	}
	client := w.Client(obj.GetNamespace())
	result, err := client.Patch(ctx, obj.GetName(), patch.kind, patch.data, metav1.PatchOptions{}, subresources(patch.subresource)...)
	if err != nil {
		return none, Unchanged, w.failed("patch", cache.KeyOf(obj), patch.explained(err, w.kind, obj))
	}
	return result, w.counts.sent(effectOn(obj, result)), nil
}

func (p Patch) check(obj any) error {
	_, dynamic := obj.(*unstructured.Unstructured)
	switch {
	case p.err != nil:
		return p.err
	case p.kind == "":
		return errors.New("the patch is the zero value: make one with Merge, Strategic, JSON or Raw")
	case p.subresource == "scale" && !dynamic:
		return errors.New("a patch of the subresource scale needs a dynamic client: patch the replicas in the spec")
	default:
		return nil
	}
}

func (p Patch) isEmpty() bool {
	text := strings.TrimSpace(string(p.data))
	return text == "{}" || text == "[]" || text == "null"
}

// lockedTo returns the patch with its lock, if it is to have one.
func (p Patch) lockedTo(obj metav1.Object) (Patch, error) {
	if !p.locked {
		return p, nil
	}
	if obj.GetResourceVersion() == "" {
		return p, errNoVersion
	}
	var err error
	if p.kind == types.JSONPatchType {
		p.data, err = lockOperations(p.data, obj)
		return p, err
	}
	fields, err := decodeTree(p.data)
	if err != nil {
		return p, fmt.Errorf("the patch %w", err)
	}
	p.data, err = fields.locked(obj).encode()
	return p, err
}

// ErrTestFailed is the error of a JSON patch with tests that the API server could not apply: a test has failed, or a path is
// not there. It is a conflict, too: apierrors.IsConflict knows it.
var ErrTestFailed = errors.New("a test of the patch has failed, or a path in it is not there")

// A testError is [ErrTestFailed], and the conflict that it means.
type testError struct{ conflict error }

func (e *testError) Error() string        { return ErrTestFailed.Error() }
func (e *testError) Is(target error) bool { return target == ErrTestFailed }
func (e *testError) Unwrap() error        { return e.conflict }

// explained makes a conflict of a test that failed. The API server answers with the code of an invalid object; but then it
// would say what of the object is wrong.
func (p Patch) explained(err error, kind string, obj metav1.Object) error {
	status, _ := answer.StatusOf(err)
	if !p.tests || status.Code != http.StatusUnprocessableEntity {
		return err
	}
	if details := status.Details; details != nil && len(details.Causes) > 0 {
		return err
	}
	return &testError{apierrors.NewConflict(schema.GroupResource{Resource: kind}, obj.GetName(), ErrTestFailed)}
}
