package v1_test

import (
	"os"
	"reflect"
	"testing"

	"sigs.k8s.io/yaml"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
)

const manifest = "../../../generated/crds/stable.example.com_crontabs.yaml"

// definition is as much of a CustomResourceDefinition as the tests look at.
type definition struct {
	Metadata struct{ Name string }
	Spec     struct {
		Group, Scope string
		Names        struct {
			Kind, ListKind, Plural string
			ShortNames             []string
		}
		Versions []struct {
			Name            string
			Served, Storage bool
			Subresources    map[string]any
			Schema          struct{ OpenAPIV3Schema property }
		}
	}
}

type property struct {
	Description string
	Default     any
	Properties  map[string]property
	Items       *property
}

func readDefinition(t *testing.T) definition {
	t.Helper()
	data, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	var crd definition
	if err := yaml.Unmarshal(data, &crd); err != nil {
		t.Fatal(err)
	}
	if len(crd.Spec.Versions) != 1 {
		t.Fatalf("the CRD has %d versions, want 1", len(crd.Spec.Versions))
	}
	return crd
}

func TestCRDServesTheRegisteredType(t *testing.T) {
	crd := readDefinition(t)
	version, names := crd.Spec.Versions[0], crd.Spec.Names

	if got, want := crd.Metadata.Name, v1.Resource("crontabs").String(); got != want {
		t.Errorf("name is %q, want %q", got, want)
	}
	if crd.Spec.Group != v1.SchemeGroupVersion.Group || version.Name != v1.SchemeGroupVersion.Version {
		t.Errorf("group and version are %s/%s, want %s", crd.Spec.Group, version.Name, v1.SchemeGroupVersion)
	}
	if names.Kind != "CronTab" || names.ListKind != "CronTabList" || names.Plural != "crontabs" {
		t.Errorf("names are %+v", names)
	}
	if !reflect.DeepEqual(names.ShortNames, []string{"ct"}) {
		t.Errorf("short names are %q, want ct", names.ShortNames)
	}
	if crd.Spec.Scope != "Namespaced" || !version.Served || !version.Storage {
		t.Errorf("scope %s, served %t, storage %t", crd.Spec.Scope, version.Served, version.Storage)
	}
	if _, ok := version.Subresources["status"]; !ok {
		t.Errorf("subresources are %v, want status", version.Subresources)
	}
}

func TestCRDSetsTheDocumentedDefaults(t *testing.T) {
	got := map[string]any{}
	for name, p := range readDefinition(t).Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties {
		if p.Default != nil {
			got[name] = p.Default
		}
	}
	want := map[string]any{
		"concurrencyPolicy":          string(v1.AllowConcurrent),
		"suspend":                    false,
		"successfulJobsHistoryLimit": 3.0,
		"failedJobsHistoryLimit":     1.0,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("defaults are %v, want %v", got, want)
	}
}

func TestCRDDescribesEveryField(t *testing.T) {
	fields := readDefinition(t).Spec.Versions[0].Schema.OpenAPIV3Schema.Properties
	for _, name := range []string{"spec", "status"} {
		if len(fields[name].Properties) == 0 {
			t.Errorf("%s has no fields", name)
		}
		requireDescriptions(t, name, fields[name])
	}
}

func requireDescriptions(t *testing.T, path string, p property) {
	t.Helper()
	if p.Description == "" {
		t.Errorf("%s has no description", path)
	}
	for name, field := range p.Properties {
		requireDescriptions(t, path+"."+name, field)
	}
	if p.Items != nil {
		for name, field := range p.Items.Properties {
			requireDescriptions(t, path+"[]."+name, field)
		}
	}
}
