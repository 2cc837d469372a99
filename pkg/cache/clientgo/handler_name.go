package clientgo

import (
	"cmp"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"k8s.io/client-go/tools/cache"
)

// handlerName returns the name that client-go gives a handler: of functions the package or type that has them all, or else
// all their names; of another handler its type.
func handlerName(handler cache.ResourceEventHandler) string {
	name := ""
	switch handler := handler.(type) {
	case cache.ResourceEventHandlerFuncs:
		name = funcsName(handler)
	case *cache.ResourceEventHandlerFuncs:
		if handler != nil {
			name = funcsName(*handler)
		}
	default:
		name = qualifiedName(handler)
	}
	return cmp.Or(name, typeName(handler))
}

func funcsName(funcs cache.ResourceEventHandlerFuncs) string {
	var names, places []string
	for _, function := range []any{funcs.AddFunc, funcs.UpdateFunc, funcs.DeleteFunc} {
		if f := runtime.FuncForPC(reflect.ValueOf(function).Pointer()); f != nil {
			names = append(names, f.Name())
			places = append(places, place(f.Name()))
		}
	}
	if distinct := slices.Compact(places); len(distinct) == 1 {
		return distinct[0]
	}
	return strings.Join(names, "+")
}

// place returns a function's name without its last part: its package or type.
func place(name string) string {
	if dot := strings.LastIndexByte(name, '.'); dot > 0 {
		return name[:dot]
	}
	return name
}

// qualifiedName returns the name of the type of what a handler is or points to. It is empty for a type without one.
func qualifiedName(handler any) string {
	value := reflect.ValueOf(handler)
	if value.Kind() == reflect.Pointer && !value.IsNil() {
		value = value.Elem()
	}
	if !value.IsValid() || value.Type().Name() == "" {
		return ""
	}
	return strings.TrimPrefix(value.Type().PkgPath()+"."+value.Type().Name(), ".")
}

func typeName(of any) string { return fmt.Sprintf("%T", of) }
