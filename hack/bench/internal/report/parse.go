package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/perf/benchfmt"
)

// ReadFiles reads the results in files.
func ReadFiles(files []string) ([]*benchfmt.Result, error) {
	var all []*benchfmt.Result
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		results, err := Parse(bytes.NewReader(content), file)
		if err != nil {
			return nil, err
		}
		all = append(all, results...)
	}
	return all, nil
}

// Parse reads results as "go test -bench" prints them, and ignores what else it prints.
func Parse(r io.Reader, name string) ([]*benchfmt.Result, error) {
	var results []*benchfmt.Result
	reader := benchfmt.NewReader(r, name)
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.Result:
			results = append(results, record.Clone())
		case *benchfmt.SyntaxError:
			return nil, record
		}
	}
	if err := reader.Err(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", strconv.Quote(name), err)
	}
	return results, nil
}

// Annotate adds what is true of the whole run, such as a version, to a result.
func Annotate(result *benchfmt.Result, key, value string) {
	result.SetConfig(key, value)
	at, _ := result.ConfigIndex(key)
	result.Config[at].File = true // else it is not written to files
}
