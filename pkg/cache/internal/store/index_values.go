package store

import (
	"fmt"
	"slices"
)

// prepare computes the values of an object that is to be put next. What it runs of the user's may end the goroutine.
func (x *Index[K, T, V]) prepare(obj T, isNew bool) {
	if isNew || !x.OfKey {
		x.values, x.err = x.compute(obj)
	}
}

// compute turns a panic of the user's function into an error.
func (x *Index[K, T, V]) compute(obj T) (values []V, err error) {
	defer func() { err = recovered(recover(), err) }()
	values, err = x.Values(obj)
	return distinct(values), err
}

// distinct returns each of the values once.
func distinct[V comparable](values []V) []V {
	for i := 1; i < len(values); i++ {
		if slices.Contains(values[:i], values[i]) { // rarely
			var unique []V
			for _, v := range values {
				if !slices.Contains(unique, v) {
					unique = append(unique, v)
				}
			}
			return unique
		}
	}
	return values
}

// hashes turns the panic of a value that cannot be compared into an error.
func (x *Index[K, T, V]) hashes(values []V) (hashes []uint32, err error) {
	defer func() { err = recovered(recover(), err) }()
	all := make([]uint32, len(values))
	for i, v := range values {
		all[i] = x.hash(v)
	}
	return all, nil // all or none: an object that failed is not in the index at all
}

// recovered returns err, or what a panic was about.
func recovered(cause any, err error) error {
	if cause == nil {
		return err
	}
	return Panicked(cause)
}

// Panicked returns an error for what a function of the user's has panicked with. It prints no objects.
func Panicked(cause any) error {
	switch cause := cause.(type) {
	case error:
		return fmt.Errorf("panic: %w", cause)
	case string:
		return fmt.Errorf("panic: %s", cause)
	default:
		return fmt.Errorf("panic: a %T", cause)
	}
}

func (x *Index[K, T, V]) report(obj T, err error) {
	if err == nil && len(x.failed) == 0 {
		return
	}
	key := x.store.keyOf(obj)
	if _, failed := x.failed[key]; err == nil && !failed {
		return
	}
	if err == nil {
		delete(x.failed, key)
		if len(x.failed) == 0 {
			x.failed = nil // a map never becomes smaller
		}
	} else {
		if x.failed == nil {
			x.failed = make(map[K]struct{})
		}
		x.failed[key] = struct{}{}
	}
	if x.Report != nil {
		x.Report(key, obj, err)
	}
}
