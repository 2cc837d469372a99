package transform

import "github.com/sluice-k8s/sluice/pkg/cache"

// Chain returns a transform that calls others in turn, each with what the one before returned, up to the first error. Those
// that are nil are left out; a chain of none returns the object as it is.
func Chain[T cache.Object](transforms ...cache.Transform[T]) cache.Transform[T] {
	return func(obj T) (T, error) {
		for _, transform := range transforms {
			if transform == nil {
				continue
			}
			var err error
			if obj, err = transform(obj); err != nil {
				return obj, err
			}
		}
		return obj, nil
	}
}

// each returns a transform that calls f with every object that is not nil.
func each[T cache.Object](f func(obj T) (T, error)) cache.Transform[T] {
	return func(obj T) (T, error) {
		var none T
		if obj == none {
			return obj, errNil
		}
		return f(obj)
	}
}

// fails returns a transform that returns err for every object.
func fails[T cache.Object](err error) cache.Transform[T] {
	return func(obj T) (T, error) { return obj, err }
}
