package cachetest

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// A Mutation says that a cached object was changed.
type Mutation struct {
	Key types.NamespacedName
	// ResourceVersion is that of the object when it entered the cache.
	ResourceVersion string
	// Handlers are the names of those who had the object between the look at which it was whole and the one at which it
	// was not. Empty if no handler that the detector knows had it.
	Handlers []string
	// Fields are the paths to what was changed, such as spec.containers[0].image or metadata.labels["app"]; of what was
	// removed, the path to the list or the map that it was in.
	Fields []string
}

// String returns the report as a sentence.
func (m Mutation) String() string {
	who := "an unknown writer"
	if len(m.Handlers) > 0 {
		who = "handler " + strings.Join(m.Handlers, " or ")
	}
	return fmt.Sprintf("object %q at resource version %q was changed in the cache by %s: %s",
		m.Key, m.ResourceVersion, who, strings.Join(m.Fields, ", "))
}
