package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
)

var (
	errNoObject  = errors.New("there is no object")
	errNoMessage = errors.New("the Go type is no protobuf message")
	errEncoding  = errors.New("the encoding is unknown")
)

// problem says of an error what can't be content of the object. Decoders quote numbers, times and keys.
func (f Frame) problem(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("%s is no Go %s", fieldName(wrong.Field), wrong.Type)
	}
	for _, plain := range []error{errNoObject, errEncoding, io.ErrUnexpectedEOF} {
		if errors.Is(err, plain) {
			return plain.Error()
		}
	}
	if f.Encoding == Protobuf {
		return err.Error() // generated code names fields, no values
	}
	return typeName(err)
}

// typeName is for errors of packages that this module doesn't depend on directly, or whose types are internal: the type,
// with the field in Go or the offset that it names.
func typeName(err error) string {
	name := fmt.Sprintf("%T", err)
	value := reflect.Indirect(reflect.ValueOf(err))
	if value.Kind() != reflect.Struct {
		return name
	}
	if field := value.FieldByName("StructFieldName"); field.Kind() == reflect.String && field.String() != "" {
		return fmt.Sprintf("%s of %s", name, fieldName(field.String()))
	}
	if offset := value.FieldByName("Offset"); offset.Kind() == reflect.Int64 {
		return fmt.Sprintf("%s at byte %d", name, offset.Int())
	}
	return name
}

func fieldName(name string) string {
	if name == "" {
		return "the value"
	}
	return fmt.Sprintf("field %q", name)
}
