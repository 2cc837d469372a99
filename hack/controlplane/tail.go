package controlplane

import (
	"io"
	"os"
	"strings"
)

const (
	tailLines = 12
	tailBytes = 16 << 10
	lineBytes = 400
)

// tail returns the last lines of the file at path, long ones cut. It is empty
// if there is nothing to read.
func tail(path string, lines int) []string {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > tailBytes {
		_, _ = f.Seek(-tailBytes, io.SeekEnd)
	}
	b, _ := io.ReadAll(f)
	return lastLines(string(b), lines)
}

func lastLines(text string, n int) []string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	all = all[max(0, len(all)-n):]
	for i, line := range all {
		if len(line) > lineBytes {
			all[i] = line[:lineBytes] + "…"
		}
	}
	return all
}

func indent(lines []string) string {
	return "    " + strings.Join(lines, "\n    ")
}
