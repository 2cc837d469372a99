package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"
)

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestBenchmarksRunInRounds(t *testing.T) {
	t.Chdir("testdata/tiny")
	var progress bytes.Buffer
	results, err := measure(t.Context(), options{bench: "Tiny", rounds: 2, benchtime: 1}, &progress)
	if err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}

	var order []string
	for _, result := range results {
		order = append(order, implementation(result))
		for _, key := range []string{"go", "client-go", "controller-runtime"} {
			if result.GetConfig(key) == "" {
				t.Errorf("%s does not tell the version of %s", result.Name, key)
			}
		}
	}
	if got, want := strings.Join(order, " "), "sluice client-go sluice client-go"; got != want {
		t.Errorf("measured %s, want %s", got, want)
	}
	if got := strings.Count(progress.String(), "BenchmarkQueueTiny/impl=sluice"); got != 2 {
		t.Errorf("%d lines of progress for sluice, want 2", got)
	}
}

func implementation(result *benchfmt.Result) string {
	_, rest, _ := strings.Cut(string(result.Name), "impl=")
	return strings.TrimSuffix(rest, fmt.Sprintf("-%d", runtime.GOMAXPROCS(0)))
}

func TestFilesAreReadInsteadOfARun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.txt")
	if err := os.WriteFile(file, []byte("BenchmarkStoreGet/impl=sluice 1 77 ns/op\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	if err := run(t.Context(), options{rounds: 1, files: []string{file}}, &stdout, io.Discard); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(stdout.String(), "77.0 ns") {
		t.Errorf("no 77.0 ns in\n%s", &stdout)
	}
}

func TestWrittenResultsTellTheVersions(t *testing.T) {
	docs := t.TempDir()
	t.Chdir("testdata/tiny")
	options := options{bench: "Tiny", rounds: 1, benchtime: 1, docs: docs}
	if err := run(t.Context(), options, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	results := read(t, filepath.Join(docs, "benchmarks", "queue.txt"))
	for _, key := range []string{"go", "client-go", "controller-runtime"} {
		if !strings.Contains(results, "\n"+key+": ") {
			t.Errorf("the results do not tell the version of %s:\n%s", key, results)
		}
	}
}

func TestWhatCannotBeMeasuredIsAnError(t *testing.T) {
	t.Chdir("testdata/tiny")
	for name, o := range map[string]options{
		"benchmark fails": {bench: "Broken", rounds: 1, benchtime: 1},
		"nothing matches": {bench: "Absent", rounds: 1, benchtime: 1},
		"no rounds":       {bench: "Tiny", rounds: 0, benchtime: 1},
		"no such file":    {rounds: 1, files: []string{"absent.txt"}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := run(t.Context(), o, io.Discard, io.Discard); err == nil {
				t.Error("no error")
			}
		})
	}
}
