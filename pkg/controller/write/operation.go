package write

import (
	"encoding/json"
	"errors"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	opTest    = "test"
	opAdd     = "add"
	opReplace = "replace"
	opRemove  = "remove"
)

// An Operation is one of a JSON patch. Make one with [TestOp], [AddOp], [ReplaceOp] or [RemoveOp].
type Operation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value,omitempty"`

	err error
}

// TestOp makes the whole patch fail with [ErrTestFailed] unless the value is at the path.
func TestOp[V any](path string, value V) Operation { return operation(opTest, path, value) }

// AddOp sets a field, or inserts an item into a list before the index that ends the path; "-" appends it. What the path
// leads through must be there.
func AddOp[V any](path string, value V) Operation { return operation(opAdd, path, value) }

// ReplaceOp replaces what is at the path; there must be something.
func ReplaceOp[V any](path string, value V) Operation { return operation(opReplace, path, value) }

// RemoveOp removes what is at the path; there must be something.
func RemoveOp(path string) Operation {
	return Operation{Op: opRemove, Path: path, err: checkPath(path)}
}

func operation[V any](op, path string, value V) Operation {
	data, err := json.Marshal(value)
	return Operation{Op: op, Path: path, Value: data, err: errors.Join(checkPath(path), err)}
}

func checkPath(path string) error {
	if path != "" && !strings.HasPrefix(path, "/") {
		return errors.New("the path does not begin with a slash")
	}
	return nil
}

// Path returns the JSON pointer (RFC 6901) that leads through the fields, which may have slashes in their names: labels and
// annotations do.
func Path(fields ...string) string {
	var path strings.Builder
	for _, field := range fields {
		path.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(field))
	}
	return path.String()
}

// lockOperations puts before a JSON patch what the API server refuses, with a conflict, if the object is another one or has
// changed.
func lockOperations(patch []byte, obj metav1.Object) ([]byte, error) {
	var rest []json.RawMessage
	if err := json.Unmarshal(patch, &rest); err != nil {
		return nil, errors.New("the patch is no list of operations")
	}
	lock := []Operation{ReplaceOp("/metadata/resourceVersion", obj.GetResourceVersion())}
	if uid := obj.GetUID(); uid != "" {
		lock = append(lock, ReplaceOp("/metadata/uid", uid))
	}
	all := make([]json.RawMessage, 0, len(lock)+len(rest))
	for _, operation := range lock {
		data, err := json.Marshal(operation)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return json.Marshal(append(all, rest...))
}
