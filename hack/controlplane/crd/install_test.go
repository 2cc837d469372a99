package crd_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/hack/controlplane/crd"
)

func TestMain(m *testing.M) { os.Exit(controlplanetest.Run(m)) }

func TestInstallTellsWhichConditionIsMissing(t *testing.T) {
	config := controlplanetest.Config(t)
	if err := crd.Install(t.Context(), config, definition("widgets", "Widget")); err != nil {
		t.Fatal(err)
	}
	var err error
	for told := false; !told; told = strings.Contains(err.Error(), "NamesAccepted is False") { // the API server takes its time
		if err = installWithoutWaiting(t, config, definition("frobs", "Widget")); err == nil { // the kind is taken
			t.Fatal("a definition of a kind that is taken was installed")
		}
	}
	for _, want := range []string{`"frobs.crd.example.com"`, "NamesAccepted is False", "is already in use", "context canceled"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not contain %q", err, want)
		}
	}
}

// installWithoutWaiting lets the context end when Install begins to wait.
func installWithoutWaiting(t *testing.T, config *rest.Config, manifest []byte) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	config = rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(request *http.Request) (*http.Response, error) {
			if request.URL.Query().Has("watch") {
				cancel()
			}
			return next.RoundTrip(request)
		})
	})
	return crd.Install(ctx, config, manifest)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

func TestInstallWantsDefinitions(t *testing.T) {
	for manifest, want := range map[string]string{
		"":                                  "holds no CustomResourceDefinition",
		"# nothing\n---\n":                  "holds no CustomResourceDefinition",
		"kind: Secret\nmetadata: {name: s}": `holds Secret "s"`,
		"a: b: c":                           "parse manifest",
	} {
		err := crd.Install(t.Context(), &rest.Config{}, []byte(manifest))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Install(%q) = %v, want %q", manifest, err, want)
		}
	}
}

func definition(plural, kind string) []byte {
	return fmt.Appendf(nil, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: %[1]s.crd.example.com
spec:
  group: crd.example.com
  scope: Namespaced
  names: {plural: %[1]s, kind: %[2]s}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object}}
`, plural, kind)
}
