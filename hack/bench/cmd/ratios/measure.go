package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/perf/benchfmt"

	"github.com/sluice-k8s/sluice/hack/bench/internal/report"
)

// measure compiles the benchmarks and runs them round after round. What they print goes to progress as it comes.
func measure(ctx context.Context, o options, progress io.Writer) ([]*benchfmt.Result, error) {
	dir, err := os.MkdirTemp("", "ratios-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "bench.test")
	if err := compile(ctx, binary, progress); err != nil {
		return nil, err
	}
	versions, err := versions(ctx)
	if err != nil {
		return nil, err
	}

	var all []*benchfmt.Result
	for round := range o.rounds {
		fmt.Fprintf(progress, "round %d of %d\n", round+1, o.rounds)
		results, err := runRound(ctx, binary, o, progress)
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", round+1, err)
		}
		for _, result := range results {
			for _, version := range versions {
				report.Annotate(result, version.Key, string(version.Value))
			}
		}
		all = append(all, results...)
	}
	return all, nil
}

func compile(ctx context.Context, binary string, progress io.Writer) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, ".")
	cmd.Stdout, cmd.Stderr = progress, progress
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("compiling the benchmarks: %w", err)
	}
	return nil
}

// roundTimeout ends a round that hangs, such as when a queue has lost a key; the output then tells where.
const roundTimeout = 30 * time.Minute

func runRound(ctx context.Context, binary string, o options, progress io.Writer) ([]*benchfmt.Result, error) {
	cmd := exec.CommandContext(ctx, binary, "-test.run=^$", "-test.bench="+o.bench, "-test.benchmem",
		"-test.benchtime="+o.benchtime.String(), "-test.timeout="+roundTimeout.String())
	var output, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&output, progress), &complaints
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("running the benchmarks: %w\n%s", err, &complaints)
	}
	return report.Parse(&output, "output")
}

// versions returns those of Go and of the modules that Sluice is compared with, by the name of the peer.
func versions(ctx context.Context) ([]benchfmt.Config, error) {
	list := exec.CommandContext(ctx, "go", "list", "-m", "k8s.io/client-go", "sigs.k8s.io/controller-runtime")
	output, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("asking for the peers' versions: %w", err)
	}
	found := []benchfmt.Config{config("go", runtime.Version())}
	for line := range strings.Lines(string(output)) {
		module, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		found = append(found, config(path.Base(module), version))
	}
	return found, nil
}

func config(key, value string) benchfmt.Config {
	return benchfmt.Config{Key: key, Value: []byte(value), File: true}
}
