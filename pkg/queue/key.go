package queue

import "reflect"

// check panics, as every map does, if the key has no hash. It is for calls that look the key up under the lock and have
// no time for a deferred unlock.
func check[K comparable](key K) {
	var none map[K]struct{}
	_ = none[key]
}

// mayLackHash says whether some values of a type that can be a key have no hash: those that contain an interface.
func mayLackHash(key reflect.Type) bool {
	switch key.Kind() {
	case reflect.Interface:
		return true
	case reflect.Array:
		return mayLackHash(key.Elem())
	case reflect.Struct:
		for field := range key.Fields() {
			if mayLackHash(field.Type) {
				return true
			}
		}
	}
	return false
}
