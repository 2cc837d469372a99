package report

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

func writeDocs(dir string, areas []*area) error {
	data := filepath.Join(dir, "benchmarks")
	if err := os.MkdirAll(data, 0o755); err != nil {
		return err
	}
	for _, a := range areas {
		if err := a.writeFiles(data); err != nil {
			return fmt.Errorf("writing the results of %s: %w", a.name, err)
		}
	}
	files, err := fs.Glob(os.DirFS(data), "*.txt")
	if err != nil {
		return err
	}
	for i := range files {
		files[i] = filepath.Join(data, files[i])
	}
	results, err := ReadFiles(files)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "benchmarks.md"), []byte(page(group(results))), 0o644)
}

func (a *area) writeFiles(dir string) error {
	var text bytes.Buffer
	writer := benchfmt.NewWriter(&text)
	for _, result := range a.results {
		if err := writer.Write(result); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, a.fileName(".txt")), text.Bytes(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, a.fileName(".svg")), a.plot(), 0o644)
}

func (a *area) fileName(extension string) string { return strings.ToLower(a.name) + extension }

// kubernetes is the key of the version of the API server, where there was one.
const kubernetes = "kubernetes"

const introduction = `# Benchmarks

<!-- Made by "make bench WRITE=1" and "make bench-cluster WRITE=1" from the results in benchmarks/. -->

Each workload does the same work on the same data with every implementation, and checks what comes out. Absolute figures
differ from machine to machine; what counts are the ratios, taken between measurements of the same round. A ratio of 2×
means that Sluice takes half the time. Shown are the medians of all rounds, and of ratios also the lowest and the highest.
The allocations of each implementation, and further figures, stand in the order of the columns. The results as they were
measured are in [benchmarks/](benchmarks), for benchstat and the like.
`

func page(areas []*area) string {
	var text strings.Builder
	text.WriteString(introduction)
	for _, a := range areas {
		fmt.Fprintf(&text, "\n## %s\n\n%s, %s.\n\n", a.name, a.environment(), plural(a.rounds(), "round"))
		fmt.Fprintf(&text, "![Ratios of the workloads](benchmarks/%s)\n\n%s", a.fileName(".svg"), a.table().markdown())
		text.WriteString(bullets("The workloads:", a.abouts()))
		text.WriteString(bullets("Where Sluice loses, or misses its goal:", a.losses()))
	}
	return text.String()
}

func bullets(title string, items []string) string {
	if len(items) == 0 {
		items = []string{"nowhere"}
	}
	return "\n" + title + "\n\n- " + strings.Join(items, "\n- ") + "\n"
}

// environment tells what the area was measured with.
func (a *area) environment() string {
	first := a.results[0]
	var parts []string
	for _, key := range append([]string{"goos", "goarch", "cpu"}, append([]string{"go", kubernetes}, peers()...)...) {
		value := first.GetConfig(key)
		switch {
		case value == "":
		case slices.Contains(peers(), key) || key == kubernetes:
			parts = append(parts, key+" "+value)
		case key == "cpu":
			parts = append(parts, value, plural(processors(first.Name), "processor"))
		default:
			parts = append(parts, value)
		}
	}
	return strings.Join(parts, ", ")
}

// processors returns GOMAXPROCS, which "go test" appends to names unless it is 1.
func processors(name benchfmt.Name) int {
	_, parts := name.Parts()
	if len(parts) > 0 {
		if n, err := strconv.Atoi(strings.TrimPrefix(string(parts[len(parts)-1]), "-")); err == nil {
			return n
		}
	}
	return 1
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (a *area) abouts() []string {
	var abouts []string
	for _, g := range goals() {
		if slices.ContainsFunc(a.rows, func(r *row) bool { return r.goal.benchmark == g.benchmark }) {
			abouts = append(abouts, strings.TrimPrefix(g.benchmark, a.name)+": "+g.about)
		}
	}
	return slices.Compact(abouts) // a workload may have a goal for each of several variants
}

// losses lists the ratios below 1 and the targets that are not met.
func (a *area) losses() []string {
	var losses []string
	for _, r := range a.rows {
		var reasons []string
		for _, p := range a.pairs() {
			if ratio, ok := r.ratio(p.subject, p.peer, secPerOp); ok && ratio.median < 1 {
				reasons = append(reasons, fmt.Sprintf("%s is %s× as fast as %s", p.subject, formatRatio(ratio.median), p.peer))
			}
		}
		for _, t := range r.goal.targets {
			if !r.meets(t) {
				reasons = append(reasons, fmt.Sprintf("the goal is %s, it reaches %s", t, r.reached(t)))
			}
		}
		if len(reasons) > 0 {
			losses = append(losses, r.title()+": "+strings.Join(reasons, "; "))
		}
	}
	return losses
}

// title returns the workload with its variant.
func (r *row) title() string {
	words := []string{r.workload}
	for _, s := range r.variant {
		words = append(words, s.key+"="+s.value)
	}
	return strings.Join(words, " ")
}
