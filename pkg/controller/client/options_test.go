package client_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/pkg/controller/client"
)

func TestFlags(t *testing.T) {
	defaults := client.Options{QPS: 50, Burst: 100, Timeout: time.Minute}
	set := defaults
	set.Kubeconfig, set.Context, set.QPS, set.Burst, set.Timeout = "file", "main", -1, 7, 5*time.Second
	tests := map[string]struct {
		before client.Options
		args   string
		want   client.Options
	}{
		"none":                  {client.Options{}, "", defaults},
		"all":                   {client.Options{}, "--kubeconfig=file --context=main --kube-api-qps=-1 --kube-api-burst=7 --request-timeout=5s", set},
		"what was set, remains": {set, "", set},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			options, flags := test.before, pflag.NewFlagSet("controller", pflag.ContinueOnError)
			options.AddFlags(flags)
			if err := flags.Parse(strings.Fields(test.args)); err != nil {
				t.Fatal(err)
			}
			if options != test.want {
				t.Errorf("the options are %+v, want %+v", options, test.want)
			}
		})
	}
}

func TestUserAgent(t *testing.T) {
	for want, got := range map[string]string{
		`^crontab/v1\.2\.0 \(\w+/\w+\) sluice/\S+$`: client.UserAgent("crontab", "v1.2.0"),
		`^client\.test/\S+ \(\w+/\w+\) sluice/\S+$`: client.UserAgent("", ""),
	} {
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("the user agent is %q, want %s", got, want)
		}
	}
}

func TestOptionsErrorsNameTheField(t *testing.T) {
	for field, options := range map[string]client.Options{
		"Burst":        {Burst: -1},
		"PingInterval": {PingInterval: -1},
		"PingTimeout":  {PingTimeout: -1},
	} {
		if err := options.Apply(&rest.Config{}); err == nil || options.Validate() == nil || !strings.Contains(err.Error(), "Options."+field) {
			t.Errorf("the error is %v, want it to name %s", err, field)
		}
	}
}
