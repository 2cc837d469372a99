package transform

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// ErrUnsupported is returned by a transform that can do nothing for the type of the object.
var ErrUnsupported = errors.New("unsupported type of object")

var errNil = errors.New("transform: the object is nil")

func unsupported[T cache.Object](name, reason string) error {
	return fmt.Errorf("transform: %s of %v: %w: %s", name, reflect.TypeFor[T](), ErrUnsupported, reason)
}
