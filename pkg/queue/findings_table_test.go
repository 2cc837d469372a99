package queue

import "testing"

// The bounds in table.go: minKept idle entries, more while there are more active ones, and maxFailing of keys that fail.
func TestIdleKeysThatFailedAreBounded(t *testing.T) {
	r := newTableTrial(nil)
	for key := range 3 * maxFailing {
		r.use(key, 1)
		r.retire(key)
	}
	if n, most := len(r.table.entries), minKept+maxFailing; n > most {
		t.Errorf("%d idle entries are remembered, %d may be: those of keys that fail count as active for the others", n, most)
	}
}
