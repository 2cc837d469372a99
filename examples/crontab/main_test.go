package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		args string
		want func(*options)
		err  string
	}{
		{args: "", want: func(*options) {}},
		{args: "--kubeconfig=/k --namespace ns --workers=5 -v=4", want: func(o *options) {
			o.client.Kubeconfig, o.crontab.Namespace, o.crontab.Workers = "/k", "ns", 5
		}},
		{args: "-n ns", want: func(o *options) { o.crontab.Namespace = "ns" }},
		{args: "--leader-elect --health-probe-bind-address=:8081", want: func(o *options) {
			o.life.LeaderElect, o.life.HealthAddress = true, ":8081"
		}},
		{args: "--namespace=Not_One", err: `--namespace "Not_One" is no name of a namespace`},
		{args: "--workers=0", err: "--workers is 0"},
		{args: "start", err: `unexpected argument "start"`},
		{args: "--unknown", err: "unknown flag: --unknown"},
		{args: "-v=much", err: `invalid argument "much" for "-v, --v" flag`},
	} {
		got, err := parse(strings.Fields(test.args))
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%q: error is %v, want %q", test.args, err, test.err)
			}
			continue
		}
		want, _ := parse(nil)
		test.want(&want)
		if err != nil || !same(got, want) {
			t.Errorf("%q: options are %+v, %v, want %+v", test.args, got, err, want)
		}
	}
}

// same compares what flags set.
func same(a, b options) bool {
	return a.client == b.client && a.life == b.life &&
		a.crontab.Namespace == b.crontab.Namespace && a.crontab.Workers == b.crontab.Workers
}

func TestDefaults(t *testing.T) {
	o, err := parse(nil)
	if err != nil || o.crontab.Workers != 2 || o.crontab.Namespace != "" || o.life.LeaderElect || o.life.HealthAddress != "" ||
		o.life.LeaseName != "crontab-controller" || o.client.UserAgent != "crontab-controller" {
		t.Errorf("options are %+v, %v", o, err)
	}
}

// The flags of the Deployment are ones that the program knows, and fit the rest of the manifests.
func TestDeploymentUsesTheFlags(t *testing.T) {
	container := deployment(t).Spec.Template.Spec.Containers[0]
	o, err := parse(container.Args)
	if err != nil || !o.life.LeaderElect {
		t.Fatalf("options are %+v, %v", o, err)
	}
	port := container.Ports[0]
	if o.life.HealthAddress != fmt.Sprintf(":%d", port.ContainerPort) {
		t.Errorf("health pages are served at %q, port %q is %d", o.life.HealthAddress, port.Name, port.ContainerPort)
	}
	for path, probe := range map[string]*corev1.Probe{"/livez": container.LivenessProbe, "/readyz": container.ReadinessProbe} {
		if probe.HTTPGet.Path != path || probe.HTTPGet.Port.StrVal != port.Name {
			t.Errorf("probe of %s is %+v", path, probe.HTTPGet)
		}
	}
	rules, err := os.ReadFile("manifests/rbac.yaml")
	if err != nil || !strings.Contains(string(rules), "resourceNames: ["+o.life.LeaseName+"]") {
		t.Errorf("the rules do not name the lease %q: %v", o.life.LeaseName, err)
	}
}

func deployment(t *testing.T) *appsv1.Deployment {
	t.Helper()
	data, err := os.ReadFile("manifests/deployment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var deployment appsv1.Deployment
	if err := yaml.UnmarshalStrict(data, &deployment); err != nil {
		t.Fatal(err)
	}
	return &deployment
}

func TestHelpIsNoFailure(t *testing.T) {
	if _, err := parse([]string{"--help"}); !errors.Is(err, pflag.ErrHelp) {
		t.Errorf("error is %v", err)
	}
}
