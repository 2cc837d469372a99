package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what comes out as what is expected")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := read(t, file)
	if got != want {
		t.Errorf("%s differs; got\n%s\nwant\n%s", file, got, want)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestFromResultsToTablesAndDocs(t *testing.T) {
	docs := t.TempDir()
	var stdout bytes.Buffer
	options := options{rounds: 1, docs: docs, files: []string{"testdata/results.txt"}}
	if err := run(t.Context(), options, &stdout, io.Discard); err != nil {
		t.Fatal(err)
	}
	golden(t, "tables.txt", stdout.String())
	golden(t, "benchmarks.md", read(t, filepath.Join(docs, "benchmarks.md")))
	golden(t, "queue.svg", read(t, filepath.Join(docs, "benchmarks", "queue.svg")))
	golden(t, "pipeline.svg", read(t, filepath.Join(docs, "benchmarks", "pipeline.svg")))
	wantXML(t, read(t, filepath.Join(docs, "benchmarks", "store.svg")))
}

func wantXML(t *testing.T, text string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("not XML: %v in\n%s", err, text)
		}
	}
}

func TestDocsKeepTheResultsOfAreasThatWereNotMeasured(t *testing.T) {
	docs := t.TempDir()
	write := func(lines string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "results.txt")
		if err := os.WriteFile(file, []byte(lines), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := run(t.Context(), options{rounds: 1, docs: docs, files: []string{file}}, io.Discard, io.Discard); err != nil {
			t.Fatal(err)
		}
	}

	write("BenchmarkStoreGet/impl=sluice 1 77 ns/op\nBenchmarkQueueAddAfter/impl=sluice 1 88 ns/op\n")
	write("BenchmarkQueueAddAfter/impl=sluice 1 99 ns/op\n")

	page := read(t, filepath.Join(docs, "benchmarks.md"))
	for text, want := range map[string]bool{"77.0 ns": true, "88.0 ns": false, "99.0 ns": true} {
		if got := strings.Contains(page, text); got != want {
			t.Errorf("the page has %q: %t, want %t", text, got, want)
		}
	}
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
		order = append(order, identify(result.Name).implementation)
		for _, key := range []string{"go", clientGo, controllerRuntime} {
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

func TestWrittenResultsTellTheVersions(t *testing.T) {
	docs := t.TempDir()
	t.Chdir("testdata/tiny")
	options := options{bench: "Tiny", rounds: 1, benchtime: 1, docs: docs}
	if err := run(t.Context(), options, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	results := read(t, filepath.Join(docs, "benchmarks", "queue.txt"))
	for _, key := range []string{"go", clientGo, controllerRuntime} {
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
