package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		args string
		want options
		err  string
	}{
		{args: "", want: options{workers: 2}},
		{args: "--kubeconfig=/k --namespace ns --workers=5 -v=4", want: options{kubeconfig: "/k", namespace: "ns", workers: 5}},
		{args: "-n ns", want: options{namespace: "ns", workers: 2}},
		{args: "--namespace=Not_One", err: `--namespace "Not_One" is no name of a namespace`},
		{args: "--workers=0", err: "--workers is 0"},
		{args: "start", err: `unexpected argument "start"`},
		{args: "--unknown", err: "unknown flag: --unknown"},
		{args: "-v=much", err: `invalid argument "much" for "-v, --v" flag`},
	} {
		got, err := parse(strings.Fields(test.args))
		switch {
		case test.err == "" && err != nil, test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%q: error is %v, want %q", test.args, err, test.err)
		case got != test.want:
			t.Errorf("%q: options are %+v, want %+v", test.args, got, test.want)
		}
	}
}

func TestHelpIsNoFailure(t *testing.T) {
	if _, err := parse([]string{"--help"}); !errors.Is(err, pflag.ErrHelp) {
		t.Errorf("error is %v", err)
	}
}
