package cache

import (
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/store"
)

// older says that resource version a is before b. Versions that can't be compared, as those of client-go's fake clientsets,
// are never older.
func older(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order < 0
}

// A comparison says how a state of an object stands to the one that is cached.
type comparison struct {
	older       bool // its version is
	sameVersion bool
	sameUID     bool
}

// compare needs no look at what is cached when both have a stamp.
func compare[T Object](reported T, stamp store.Stamp, cached T, was store.Stamp) comparison {
	if stamp.Version > 0 && was.Version > 0 {
		version, wasVersion := stamp.Version>>1, was.Version>>1
		return comparison{
			older:       version < wasVersion,
			sameVersion: version == wasVersion,
			sameUID:     stamp.Version&1 == was.Version&1 && stamp.High == was.High && stamp.Low == was.Low,
		}
	}
	version, wasVersion := reported.GetResourceVersion(), cached.GetResourceVersion()
	return comparison{
		older:       older(version, wasVersion),
		sameVersion: version != "" && version == wasVersion,
		sameUID:     reported.GetUID() == cached.GetUID(),
	}
}

// stampOf returns the version of an object and its UID as numbers that compare as they do: twice the version, and one more
// if the UID is a short text instead of a UUID. The zero Stamp says that they are neither.
func stampOf[T Object](obj T) store.Stamp {
	version, uid := parseVersion(obj.GetResourceVersion()), obj.GetUID()
	if version == 0 {
		return store.Stamp{}
	}
	if high, low, ok := parseShort(uid); ok {
		return store.Stamp{Version: version<<1 | 1, High: high, Low: low}
	}
	if high, low, ok := parseUUID(uid); ok {
		return store.Stamp{Version: version << 1, High: high, Low: low}
	}
	return store.Stamp{}
}

// parseVersion returns the number that a resource version is, or 0.
func parseVersion(version string) uint64 {
	const digits = 18 // of which a uint64 has room for the double
	if version == "" || len(version) > digits || version[0] == '0' {
		return 0
	}
	number := uint64(0)
	for i := range len(version) {
		digit := version[i] - '0'
		if digit > 9 {
			return 0
		}
		number = 10*number + uint64(digit)
	}
	return number
}
