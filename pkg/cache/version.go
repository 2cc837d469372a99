package cache

import "k8s.io/apimachinery/pkg/util/resourceversion"

// older says that resource version a is before b. Versions that can't be compared, as those of client-go's fake clientsets,
// are never older.
func older(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order < 0
}
