package client

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// maxWarnings is how many different warnings are kept.
const maxWarnings = 100

// Warnings logs what the API server warns of, each text once, and counts all. Deprecated API versions are warned of, and
// whatever admission policies say. The zero value works; its methods may be called concurrently. Of more than 100 texts the
// further ones are counted, not logged.
type Warnings struct {
	mu     sync.Mutex
	counts map[string]int // of the texts that are kept
	total  int
}

var _ rest.WarningHandlerWithContext = &Warnings{}

// A Warning is a text of the API server and how often it came.
type Warning struct {
	Text  string
	Count int
}

// A WarningStatus says what the API server has warned of. It is more than Texts if Total is more than the sum of their
// counts.
type WarningStatus struct {
	Total int
	Texts []Warning // the most frequent first
}

// HandleWarningHeaderWithContext is called by clients. Like client-go's own handler it knows nothing but code 299, which is
// the only one that API servers send.
func (w *Warnings) HandleWarningHeaderWithContext(ctx context.Context, code int, _, text string) {
	if code == 299 && text != "" && w.count(text) {
		klog.FromContext(ctx).Info("The API server warns", "warning", text)
	}
}

// count returns true if the text is to be logged.
func (w *Warnings) count(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.total++
	_, known := w.counts[text]
	if !known && len(w.counts) >= maxWarnings {
		return false
	}
	if w.counts == nil {
		w.counts = make(map[string]int)
	}
	w.counts[text]++
	return !known
}

// Status says what was warned of so far.
func (w *Warnings) Status() WarningStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	status := WarningStatus{Total: w.total}
	for _, text := range slices.Sorted(maps.Keys(w.counts)) {
		status.Texts = append(status.Texts, Warning{text, w.counts[text]})
	}
	slices.SortStableFunc(status.Texts, func(a, b Warning) int { return cmp.Compare(b.Count, a.Count) })
	return status
}
