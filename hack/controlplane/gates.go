package controlplane

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// gates are feature gates and whether they are on.
type gates map[string]bool

// ParseFeatureGates reads the form of Kubernetes' own flag: A=true,B=false.
// Empty text means none.
func ParseFeatureGates(text string) (map[string]bool, error) {
	parsed := map[string]bool{}
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		name, value, _ := strings.Cut(item, "=")
		on, err := strconv.ParseBool(value)
		if err != nil || name == "" {
			return nil, fmt.Errorf("feature gate %q: want NAME=true or NAME=false", item)
		}
		parsed[name] = on
	}
	return parsed, nil
}

func (g gates) String() string {
	var items []string
	for _, name := range slices.Sorted(maps.Keys(g)) {
		items = append(items, name+"="+strconv.FormatBool(g[name]))
	}
	return strings.Join(items, ",")
}

func (g gates) args() []string {
	if len(g) == 0 {
		return nil
	}
	return []string{"--feature-gates=" + g.String()}
}
