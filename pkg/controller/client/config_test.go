package client_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/sluice-k8s/sluice/pkg/controller/client"
)

const kubeconfig = `apiVersion: v1
kind: Config
current-context: main
contexts:
- {name: main, context: {cluster: main}}
- {name: other, context: {cluster: other}}
clusters:
- {name: main, cluster: {server: "https://%s.example.com"}}
- {name: other, cluster: {server: "https://other.example.com"}}
`

// write makes a kubeconfig whose main cluster has the given name.
func write(t *testing.T, path, cluster string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, fmt.Appendf(nil, kubeconfig, cluster), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// isolate points everything that Load looks at to an empty directory and returns the path of ~/.kube/config there.
func isolate(t *testing.T) (home string) {
	t.Helper()
	t.Setenv("KUBECONFIG", "")
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Setenv("KUBERNETES_SERVICE_PORT", "")
	before := clientcmd.RecommendedHomeFile // set once when the program starts
	t.Cleanup(func() { clientcmd.RecommendedHomeFile = before })
	clientcmd.RecommendedHomeFile = filepath.Join(t.TempDir(), ".kube", "config")
	return clientcmd.RecommendedHomeFile
}

func TestLoadOrder(t *testing.T) {
	isolatedHome := isolate(t)
	dir := t.TempDir()
	flag, env := write(t, filepath.Join(dir, "flag"), "flag"), write(t, filepath.Join(dir, "env"), "env")
	home := write(t, isolatedHome, "home")
	tests := map[string]struct {
		env     string
		options client.Options
		want    string
	}{
		"flag before all else":   {env, client.Options{Kubeconfig: flag}, "https://flag.example.com"},
		"KUBECONFIG before home": {env, client.Options{}, "https://env.example.com"},
		"several files":          {flag + ":" + env, client.Options{}, "https://flag.example.com"},
		"context of choice":      {env, client.Options{Context: "other"}, "https://other.example.com"},
		"home at last":           {"", client.Options{}, "https://home.example.com"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", test.env)
			config, err := client.Load(test.options)
			if err != nil {
				t.Fatalf("%v (home is %s)", err, home)
			}
			if config.Host != test.want {
				t.Errorf("the server is %q, want %q", config.Host, test.want)
			}
		})
	}
}

// TestFilesAreMerged has a team's file beside a user's, as kubectl users do.
func TestFilesAreMerged(t *testing.T) {
	isolate(t)
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	user := file("user", `
current-context: mine
contexts:
- {name: mine, context: {cluster: team, user: me}}
users:
- {name: me, user: {token: secret}}
`)
	team := file("team", `
current-context: theirs
contexts:
- {name: mine, context: {cluster: nowhere}}
- {name: theirs, context: {cluster: team, user: them}}
clusters:
- {name: team, cluster: {server: "https://team.example.com"}}
users:
- {name: them, user: {token: other}}
`)
	missing := filepath.Join(dir, "missing")
	tests := map[string]struct {
		files   []string
		context string
		token   string
	}{
		"context of one file, cluster of another": {[]string{user, team}, "", "secret"},
		"the first file decides":                  {[]string{team, user}, "theirs", "other"},
		"context of choice":                       {[]string{user, team}, "theirs", "other"},
		"a file that is missing is passed over":   {[]string{missing, user, missing, team}, "", "secret"},
		"a file that is named twice":              {[]string{user, team, user}, "", "secret"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", strings.Join(test.files, string(filepath.ListSeparator)))
			config, err := client.Load(client.Options{Context: test.context})
			if err != nil {
				t.Fatal(err)
			}
			if config.Host != "https://team.example.com" || config.BearerToken != test.token {
				t.Errorf("the server is %q, the token %q; want the team's and %q", config.Host, config.BearerToken, test.token)
			}
		})
	}
}

func TestLoadErrorsSayWhatToDo(t *testing.T) {
	isolate(t)
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("clusters: 7"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		prepare func(t *testing.T)
		options client.Options
		want    string
	}{
		"flag names no file":    {func(*testing.T) {}, client.Options{Kubeconfig: "/no/such/file"}, `read kubeconfig "/no/such/file"`},
		"flag names a bad file": {func(*testing.T) {}, client.Options{Kubeconfig: broken}, "broken"},
		"KUBECONFIG is bad":     {func(t *testing.T) { t.Helper(); t.Setenv("KUBECONFIG", broken) }, client.Options{}, "broken"},
		"no such context": {
			func(t *testing.T) {
				t.Helper()
				t.Setenv("KUBECONFIG", write(t, filepath.Join(t.TempDir(), "c"), "main"))
			},
			client.Options{Context: "elsewhere"},
			"elsewhere",
		},
		"one of several is bad": {
			func(t *testing.T) {
				t.Helper()
				t.Setenv("KUBECONFIG", write(t, filepath.Join(t.TempDir(), "c"), "main")+string(filepath.ListSeparator)+broken)
			},
			client.Options{},
			"broken",
		},
		"bad options": {
			func(t *testing.T) {
				t.Helper()
				t.Setenv("KUBECONFIG", write(t, filepath.Join(t.TempDir(), "c"), "main"))
			},
			client.Options{PingTimeout: -1},
			"Options.PingTimeout",
		},
		"nothing anywhere":         {func(*testing.T) {}, client.Options{}, "set --kubeconfig or KUBECONFIG"},
		"KUBECONFIG names no file": {func(t *testing.T) { t.Helper(); t.Setenv("KUBECONFIG", "/no/such/file") }, client.Options{}, "KUBECONFIG is set"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.prepare(t)
			if _, err := client.Load(test.options); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want it to say %q", err, test.want)
			}
		})
	}
}

func TestAPodWithoutATokenGoesOnToKubeconfig(t *testing.T) {
	isolate(t)
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
	t.Setenv("KUBERNETES_SERVICE_PORT", "443")
	t.Setenv("KUBECONFIG", write(t, filepath.Join(t.TempDir(), "config"), "main"))
	config, err := client.Load(client.Options{})
	if err != nil || config.Host != "https://main.example.com" {
		t.Errorf("Load returned %v, %v; want the server of KUBECONFIG", config, err)
	}
}

func TestLoadLimits(t *testing.T) {
	isolate(t)
	path := write(t, filepath.Join(t.TempDir(), "config"), "main")
	config, err := client.Load(client.Options{Kubeconfig: path})
	if err != nil {
		t.Fatal(err)
	}
	if config.QPS != 50 || config.Burst != 100 {
		t.Errorf("QPS and burst are %v and %v, want the defaults", config.QPS, config.Burst)
	}
	config, err = client.Load(client.Options{Kubeconfig: path, QPS: -1, Burst: 7, UserAgent: "me/1.0"})
	if err != nil {
		t.Fatal(err)
	}
	if config.QPS != -1 || config.Burst != 7 || config.UserAgent != "me/1.0" {
		t.Errorf("QPS, burst and user agent are %v, %v and %q, want those of the options", config.QPS, config.Burst, config.UserAgent)
	}
}
