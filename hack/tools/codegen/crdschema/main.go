// Command crdschema writes the OpenAPI v2 schema of custom resources in the form that applyconfiguration-gen reads.
//
//	crdschema PACKAGE CRD.yaml… >schema.json
//
// PACKAGE is the Go import path above the packages of the types, which lie in <first label of the group>/<version>. The
// schema of each version is that of the CRD, as the API server publishes it; so the field ownership that the fake
// clientset tracks is that of the server.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	builtin "k8s.io/apiextensions-apiserver/pkg/generated/openapi"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/util"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: crdschema PACKAGE CRD.yaml…")
		os.Exit(2)
	}
	if err := run(os.Stdout, os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "crdschema:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, pkg string, files []string) error {
	definitions := builtinDefinitions()
	for _, file := range files {
		if err := addFile(definitions, pkg, file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return json.NewEncoder(w).Encode(&spec.Swagger{SwaggerProps: spec.SwaggerProps{
		Swagger:     "2.0",
		Info:        &spec.Info{InfoProps: spec.InfoProps{Title: "CRDs", Version: "unversioned"}},
		Definitions: definitions,
	}})
}

// builtinDefinitions returns what custom resources refer to: the types of meta/v1, among others.
func builtinDefinitions() spec.Definitions {
	definitions := spec.Definitions{}
	for name, definition := range builtin.GetOpenAPIDefinitions(reference) {
		definitions[name] = definition.Schema
		if v2, ok := definition.Schema.Extensions[common.ExtensionV2Schema].(spec.Schema); ok {
			definitions[name] = v2
		}
	}
	return definitions
}

func addFile(definitions spec.Definitions, pkg, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(data, &crd); err != nil {
		return err
	}
	for i := range crd.Spec.Versions {
		version := &crd.Spec.Versions[i]
		schema, err := versionSchema(&crd, version)
		if err != nil {
			return fmt.Errorf("version %q: %w", version.Name, err)
		}
		definitions[definitionName(pkg, &crd, version)] = *schema
	}
	return nil
}

// definitionName is the name by which runtime.Scheme and applyconfiguration-gen look up the schema of a Go type.
func definitionName(pkg string, crd *apiextensionsv1.CustomResourceDefinition, version *apiextensionsv1.CustomResourceDefinitionVersion) string {
	group, _, _ := strings.Cut(crd.Spec.Group, ".")
	return util.ToRESTFriendlyName(path.Join(pkg, group, version.Name) + "." + crd.Spec.Names.Kind)
}

func versionSchema(crd *apiextensionsv1.CustomResourceDefinition, version *apiextensionsv1.CustomResourceDefinitionVersion) (*spec.Schema, error) {
	if version.Schema == nil || version.Schema.OpenAPIV3Schema == nil {
		return nil, fmt.Errorf("no schema")
	}
	data, err := json.Marshal(version.Schema.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	var schema spec.Schema
	if err := json.Unmarshal(data, &schema); err != nil {
		return nil, err
	}
	schema.SetProperty("metadata", *spec.RefSchema(definitionsPrefix + metav1.ObjectMeta{}.OpenAPIModelName()))
	schema.AddExtension("x-kubernetes-group-version-kind", []any{map[string]any{
		"group": crd.Spec.Group, "version": version.Name, "kind": crd.Spec.Names.Kind,
	}})
	return &schema, nil
}

const definitionsPrefix = "#/definitions/"

func reference(name string) spec.Ref {
	return spec.MustCreateRef(definitionsPrefix + name)
}
