package store

import "testing"

// Prefetch mostly finds what Find finds. It leaves nothing as it was, and changes nothing.
func TestPrefetch(t *testing.T) {
	s := New(thingName)
	for i := range 10 {
		put(s, &thing{name: numbered(i)})
	}
	var keys [Ahead]name
	var objects [Ahead]*thing
	for i := range keys {
		keys[i], objects[i] = numbered(i), &thing{}
	}
	tx := s.Begin()
	defer tx.Commit()
	tx.Prefetch(keys[:], objects[:])
	found := 0
	for i, key := range keys {
		want, place := tx.Find(key)
		if objects[i] == want && place.Exists() {
			found++
		}
		if objects[i] != nil && objects[i].name.name == "" {
			t.Errorf("%v was left as it was", key)
		}
	}
	if found < 5 {
		t.Errorf("%d of 10 objects were found", found)
	}
	tx.Prefetch(keys[:3], objects[:3])
	tx.Prefetch(nil, nil)
}
