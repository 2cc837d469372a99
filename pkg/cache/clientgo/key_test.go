package clientgo

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
)

func TestParseKey(t *testing.T) {
	for key, want := range map[string]types.NamespacedName{
		"default/a": {Namespace: "default", Name: "a"},
		"node":      {Name: "node"},
		"a/b/c":     {Namespace: "a", Name: "b/c"},
		"/a":        {Name: "/a"},
		"a/":        {Namespace: "a"},
		"":          {},
	} {
		if got := parseKey(key); got != want {
			t.Errorf("%q is %#v, want %#v", key, got, want)
		}
	}
}

// Any string is a key, and no two strings are the same key.
func TestKeysComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOf(rapid.StringMatching(`[ab/]{0,6}(x{900})?`)).Draw(t, "keys")
		joined := joiner{left: len(keys)}
		var got []string
		for _, key := range keys {
			if one := joinKey(parseKey(key)); one != key {
				t.Fatalf("%q came back as %q", key, one)
			}
			got = append(got, joined.join(parseKey(key)))
		}
		if strings.Join(got, " ") != strings.Join(keys, " ") {
			t.Fatalf("%q came back as %q", keys, got)
		}
	})
}
