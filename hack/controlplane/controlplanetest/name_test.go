package controlplanetest

import (
	"strings"
	"testing"
)

func TestNamePrefix(t *testing.T) {
	for test, want := range map[string]string{
		"TestOne":               "testone-",
		"TestOne/sub_case#01":   "testone-sub-case-01-",
		"Test/über":             "test--ber-",
		"///":                   "test-",
		strings.Repeat("T", 90): strings.Repeat("t", 57) + "-",
	} {
		if got := namePrefix(test); got != want || len(got) > 58 {
			t.Errorf("namePrefix(%q) = %q, want %q", test, got, want)
		}
	}
}

func TestClusterNeedsRun(t *testing.T) {
	t.Setenv(KubeconfigEnv, "")
	if _, err := new(cluster).kubeconfig(t.Context()); err == nil || !strings.Contains(err.Error(), "TestMain") {
		t.Errorf("error = %v, want one that shows what to write", err)
	}
}
