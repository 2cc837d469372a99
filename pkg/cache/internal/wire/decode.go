package wire

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
	"k8s.io/apimachinery/pkg/util/json"
)

// Decode makes the frame's bytes an object, as the serializers of apimachinery do. Nothing of the object is in the frame's
// memory afterwards. into is a pointer to an empty object:
//   - [unstructured.Unstructured] keeps apiVersion and kind. Where the object has neither they are the frame's, if that has both.
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
		return &DecodeError{f.Encoding, f.problem(err)}
	}
	if object, ok := into.(runtime.Object); ok {
		object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	}
	return nil
}

func (f Frame) decodeMap(into *unstructured.Unstructured) error {
	content := map[string]any{}
	if err := f.decode(&content); err != nil {
		return &DecodeError{f.Encoding, f.problem(err)}
	}
	into.Object = content
	if into.GetKind() == "" && into.GetAPIVersion() == "" && f.Kind != "" && f.APIVersion != "" {
		into.SetKind(f.Kind)
		into.SetAPIVersion(f.APIVersion)
	}
	return nil
}

func (f Frame) decode(into any) error {
	if f.Bytes == nil {
		return errNoObject
	}
	switch f.Encoding {
	case JSON:
		return json.Unmarshal(f.Bytes, into)
	case Protobuf:
		return decodeProtobuf(f.Bytes, into)
	case CBOR:
		return decodeCBOR(f.Bytes, into)
	}
	return errEncoding
}

func decodeProtobuf(b []byte, into any) error {
	m, ok := into.(interface {
		Reset()
		Unmarshal(b []byte) error
	})
	if !ok {
		return errNoMessage
	}
	m.Reset()
	return m.Unmarshal(b)
}

// decodeCBOR goes through the serializer for objects, since it alone ignores keys that the type doesn't know and makes JSON of
// what is raw in the type.
func decodeCBOR(b []byte, into any) error {
	object, ok := into.(runtime.Object)
	if !ok {
		return direct.Unmarshal(b, into)
	}
	_, _, err := cbor.NewSerializer(only{object}, only{object}).Decode(b, nil, object)
	return err
}

// only is the scheme of a single object: whatever kind the bytes have, it is the object's.
type only struct{ runtime.Object }

func (o only) New(schema.GroupVersionKind) (runtime.Object, error) { return o.Object, nil }

func (o only) ObjectKinds(runtime.Object) ([]schema.GroupVersionKind, bool, error) {
	return []schema.GroupVersionKind{{Version: "v1", Kind: "Any"}}, false, nil
}

func (o only) Recognizes(schema.GroupVersionKind) bool { return true }
