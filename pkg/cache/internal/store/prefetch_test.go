package store

import "testing"

// Prefetch expects most of what Find finds, and nothing else.
func TestPrefetch(t *testing.T) {
	s := New(thingName, nameText)
	for i := range 10 {
		put(s, &thing{name: numbered(i)})
	}
	var keys [Ahead]name
	for i := range keys {
		keys[i] = numbered(i)
	}
	tx := s.Begin()
	defer tx.Commit()
	if expected := tx.Prefetch(keys[:]); expected < 5 || expected > 10 {
		t.Errorf("%d objects are expected, there are 10", expected)
	}
	if expected := tx.Prefetch(keys[10:]); expected != 0 {
		t.Errorf("%d objects are expected where there are none", expected)
	}
	tx.Prefetch(nil)
}
