package wire

import (
	stdjson "encoding/json"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
)

// Decode makes the frame's bytes an object, as the serializers of apimachinery do. Nothing of the object is in the frame's
// memory afterwards. into is a pointer to an empty object:
//   - [unstructured.Unstructured] keeps apiVersion and kind. Where the object has neither they are the frame's.
//   - Any other [runtime.Object] is left without them, in every encoding, as typed clients leave them.
//
// The error is a [DecodeError]. Decode doesn't panic, also if a method of the type does, and doesn't miss a kind or a name.
func (f Frame) Decode(into any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &DecodeError{f.Encoding, fmt.Sprintf("decoding panicked with a %T", p)}
		}
	}()
	if object, ok := into.(*unstructured.Unstructured); ok {
		return f.decodeMap(object)
	}
	if err := f.decode(into); err != nil {
		return &DecodeError{f.Encoding, problem(err)}
	}
	if object, ok := into.(runtime.Object); ok {
		object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	}
	return nil
}

func (f Frame) decode(into any) error {
	if len(f.Bytes) == 0 {
		return errNoObject
	}
	switch f.Encoding {
	case JSON:
		return json.Unmarshal(f.Bytes, into)
	}
	return errEncoding
}

func (f Frame) decodeMap(into *unstructured.Unstructured) error {
	content := map[string]any{}
	if err := f.decode(&content); err != nil {
		return &DecodeError{f.Encoding, problem(err)}
	}
	into.Object = content
	if into.GetKind() == "" && into.GetAPIVersion() == "" && f.Kind != "" {
		into.SetKind(f.Kind)
		into.SetAPIVersion(f.APIVersion)
	}
	return nil
}

var (
	errNoObject = errors.New("there is no object")
	errEncoding = errors.New("the encoding is unknown")
)

// problem says of an error what can't be content of the object.
func problem(err error) string {
	if e, ok := errors.AsType[*stdjson.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("field %q is no Go %s", e.Field, e.Type)
	}
	return fmt.Sprintf("%T", err)
}
