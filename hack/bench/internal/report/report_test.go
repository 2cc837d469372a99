package report

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
	results, err := ReadFiles([]string{"testdata/results.txt"})
	if err != nil {
		t.Fatal(err)
	}
	var tables bytes.Buffer
	if err := errors.Join(New(results).Print(&tables), New(results).WriteDocs(docs)); err != nil {
		t.Fatal(err)
	}
	golden(t, "tables.txt", tables.String())
	golden(t, "benchmarks.md", read(t, filepath.Join(docs, "benchmarks.md")))
	golden(t, "queue.svg", read(t, filepath.Join(docs, "benchmarks", "queue.svg")))
	golden(t, "pipeline.svg", read(t, filepath.Join(docs, "benchmarks", "pipeline.svg")))
	golden(t, "sync.svg", read(t, filepath.Join(docs, "benchmarks", "sync.svg")))
	wantXML(t, read(t, filepath.Join(docs, "benchmarks", "store.svg")))
	wantXML(t, read(t, filepath.Join(docs, "benchmarks", "sync.svg")))
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
		results, err := Parse(strings.NewReader(lines), "results")
		if err != nil {
			t.Fatal(err)
		}
		if err := New(results).WriteDocs(docs); err != nil {
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
