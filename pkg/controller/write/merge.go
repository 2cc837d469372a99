package write

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// A tree is a JSON object. Numbers are kept as they are written.
type tree map[string]any

func treeOf(value any) (tree, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode a %T: %w", value, err)
	}
	return decodeTree(data)
}

func decodeTree(data []byte) (tree, error) {
	var t tree
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&t); err != nil {
		return nil, errors.New("is no JSON object") // the decoder's error may quote the content
	}
	return t, nil
}

func (t tree) encode() ([]byte, error) { return json.Marshal(t) }

// locked returns the patch with what makes the API server refuse it, with a conflict, if the object is another one or has
// changed: it compares the UID and the resource version of a patch with the object's.
func (t tree) locked(obj metav1.Object) tree {
	metadata := map[string]any{}
	if has, ok := t["metadata"].(map[string]any); ok {
		maps.Copy(metadata, has)
	}
	if uid := obj.GetUID(); uid != "" {
		metadata["uid"] = string(uid)
	}
	if version := obj.GetResourceVersion(); version != "" {
		metadata["resourceVersion"] = version
	}
	patch := maps.Clone(t)
	patch["metadata"] = metadata
	return patch
}

// diffOf returns the merge patch (RFC 7386) that makes before into after; empty if they are equal in JSON.
func diffOf[T cache.Object](before, after T) (tree, error) {
	old, err := treeOf(before)
	if err != nil {
		return nil, err
	}
	wanted, err := treeOf(after)
	if err != nil {
		return nil, err
	}
	return diff(old, wanted), nil
}

// diff compares two objects. A null in them means what an absent field means, because a merge patch cannot set one; those
// within lists are kept, as lists are replaced as a whole.
func diff(old, wanted map[string]any) map[string]any {
	patch := map[string]any{}
	for name, value := range old {
		if value != nil && wanted[name] == nil {
			patch[name] = nil
		}
	}
	for name, value := range wanted {
		if change, differs := diffValue(old[name], value); differs {
			patch[name] = change
		}
	}
	return patch
}

// diffValue says how a value differs that is there afterwards.
func diffValue(old, wanted any) (change any, differs bool) {
	if wanted == nil {
		return nil, false // see diff
	}
	fields, isObject := wanted.(map[string]any)
	if !isObject {
		return wanted, !reflect.DeepEqual(old, wanted)
	}
	if before, ok := old.(map[string]any); ok {
		change := diff(before, fields)
		return change, len(change) > 0
	}
	return diff(nil, fields), true // without nulls
}
