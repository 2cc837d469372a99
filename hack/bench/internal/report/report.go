package report

import (
	"fmt"
	"io"

	"golang.org/x/perf/benchfmt"
)

// A Report is what a run of benchmarks tells.
type Report struct{ areas []*area }

// New returns the report of results. The n-th result of a benchmark belongs to the n-th round.
func New(results []*benchfmt.Result) Report { return Report{group(results)} }

// Empty says that there is nothing to report.
func (r Report) Empty() bool { return len(r.areas) == 0 }

// Print writes a table for each area, and how many goals are met.
func (r Report) Print(w io.Writer) error {
	for _, a := range r.areas {
		_, err := fmt.Fprintf(w, "\n%s: median of %s, in brackets the lowest and the highest\n\n%s",
			a.name, plural(a.rounds(), "round"), a.table().text())
		if err != nil {
			return err
		}
	}
	met, all := score(r.areas)
	_, err := fmt.Fprintf(w, "\n%d of %d goals are met.\n", met, all)
	return err
}

// WriteDocs puts the results and the plot of each area into benchmarks/ in the directory of the documentation. Then it makes
// benchmarks.md from all results that are there: areas that were not measured this time keep theirs.
func (r Report) WriteDocs(dir string) error { return writeDocs(dir, r.areas) }
