package controlplane

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os/exec"
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

// assignGates gives each part the gates that it knows, by asking it.
func assignGates(ctx context.Context, bin Binaries, all gates) (map[string]gates, error) {
	byPart := map[string]gates{apiserver: {}, controllerManager: {}}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		known := false
		for part, accepted := range byPart {
			gate := gates{name: all[name]}
			ok, err := accepts(ctx, bin.path(part), gate)
			if err != nil {
				return nil, fmt.Errorf("controlplane: %s with feature gate %s: %w", part, gate, err)
			}
			if ok {
				accepted[name], known = all[name], true
			}
		}
		if !known {
			return nil, fmt.Errorf("controlplane: feature gate %q is unknown to Kubernetes %s", name, bin.Kubernetes)
		}
	}
	return byPart, nil
}

// accepts tells whether the program at path knows the gate. A gate that it
// knows but cannot set so is an error. Programs of Kubernetes set their gates
// before they look at --version.
func accepts(ctx context.Context, path string, gate gates) (bool, error) {
	cmd := exec.CommandContext(ctx, path, append(gate.args(), "--version")...)
	cmd.Env = environment()
	out, err := cmd.CombinedOutput()
	if err == nil {
		return true, nil
	}
	if bytes.Contains(out, []byte("unrecognized feature gate")) {
		return false, nil
	}
	return false, fmt.Errorf("%w: %s", err, strings.Join(lastLines(string(out), 2), " "))
}
