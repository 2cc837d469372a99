package main

import (
	"fmt"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"strings"
)

// environment returns the lines at the head of results which say what they were measured with.
func environment(kubernetes string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "goos: %s\ngoarch: %s\npkg: github.com/sluice-k8s/sluice/hack/bench/cmd/cluster\n", runtime.GOOS, runtime.GOARCH)
	if content, err := os.ReadFile("/proc/cpuinfo"); err == nil { // there is none but on Linux
		fmt.Fprintf(&text, "cpu: %s\n", processor(string(content)))
	}
	fmt.Fprintf(&text, "go: %s\n", runtime.Version())
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range []string{"k8s.io/client-go", "sigs.k8s.io/controller-runtime"} {
			fmt.Fprintf(&text, "%s: %s\n", path.Base(module), version(info.Deps, module))
		}
	}
	fmt.Fprintf(&text, "kubernetes: %s\n", kubernetes)
	return text.String()
}

func version(dependencies []*debug.Module, module string) string {
	for _, dependency := range dependencies {
		if dependency.Path == module {
			return dependency.Version
		}
	}
	return "unknown"
}

// processor returns the name of the first one in /proc/cpuinfo.
func processor(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if key, name, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(name)
		}
	}
	return "unknown"
}
