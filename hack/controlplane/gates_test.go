package controlplane

import (
	"maps"
	"testing"
)

func TestParseFeatureGates(t *testing.T) {
	for _, test := range []struct {
		text string
		want map[string]bool // nil means an error
	}{
		{"", map[string]bool{}},
		{"A=true", map[string]bool{"A": true}},
		{" A=true, B=false ,", map[string]bool{"A": true, "B": false}},
		{"A=true,A=false", map[string]bool{"A": false}},
		{"A", nil},
		{"A=maybe", nil},
		{"=true", nil},
	} {
		got, err := ParseFeatureGates(test.text)
		if (err != nil) != (test.want == nil) || !maps.Equal(got, test.want) {
			t.Errorf("ParseFeatureGates(%q) = %v, %v; want %v", test.text, got, err, test.want)
		}
	}
}

func TestFeatureGatesAsFlag(t *testing.T) {
	if got := (gates{"B": false, "A": true}).args(); len(got) != 1 || got[0] != "--feature-gates=A=true,B=false" {
		t.Errorf("args = %q, want them in order", got)
	}
	if got := (gates{}).args(); got != nil {
		t.Errorf("args of no gates = %q, want none", got)
	}
}
