package crd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// FieldManager owns the fields that Install applies.
const FieldManager = "sluice-crd-install"

// Install applies the CustomResourceDefinitions in manifest, one or several
// documents of YAML or JSON, by server-side apply, and returns when the API
// server serves all of them. Fields that others have set are taken over.
//
// The context bounds the wait. If it ends first, the error names the condition
// that is missing and what the API server says about it.
func Install(ctx context.Context, config *rest.Config, manifest []byte) error {
	definitions, err := parse(manifest)
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	crds := client.Resource(schema.GroupVersionResource{
		Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
	})
	for _, d := range definitions {
		if err := install(ctx, crds, d); err != nil {
			return fmt.Errorf("install CustomResourceDefinition %q: %w", d.GetName(), err)
		}
	}
	return nil
}

func parse(manifest []byte) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	for {
		u := &unstructured.Unstructured{}
		err := documents.Decode(&u.Object)
		switch {
		case errors.Is(err, io.EOF):
			if len(all) == 0 {
				return nil, errors.New("manifest holds no CustomResourceDefinition")
			}
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("parse manifest: %w", err)
		case len(u.Object) == 0: // nothing but comments
			continue
		case u.GetKind() != "CustomResourceDefinition":
			return nil, fmt.Errorf("manifest holds %s %q; want CustomResourceDefinition", u.GetKind(), u.GetName())
		}
		all = append(all, u)
	}
}

func install(ctx context.Context, crds dynamic.ResourceInterface, definition *unstructured.Unstructured) error {
	applied, err := crds.Apply(ctx, definition.GetName(), definition, metav1.ApplyOptions{FieldManager: FieldManager, Force: true})
	if err != nil {
		return err
	}
	for err = missing(applied); err != nil; err = missing(applied) {
		next, watchErr := change(ctx, crds, applied)
		if watchErr != nil {
			return fmt.Errorf("%w (%w)", err, watchErr)
		}
		applied = next
	}
	return nil
}

// missing returns nil if the definition is served.
func missing(definition *unstructured.Unstructured) error {
	conditions, _, _ := unstructured.NestedSlice(definition.Object, "status", "conditions")
	status := map[string]map[string]any{}
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok {
			status[fmt.Sprint(c["type"])] = c
		}
	}
	for _, kind := range []string{"NamesAccepted", "Established"} {
		c, ok := status[kind]
		if !ok {
			return fmt.Errorf("condition %s is missing", kind)
		}
		if c["status"] != string(metav1.ConditionTrue) {
			return fmt.Errorf("condition %s is %v: %v: %v", kind, c["status"], c["reason"], c["message"])
		}
	}
	return nil
}

// change waits for the next version of the definition.
func change(ctx context.Context, crds dynamic.ResourceInterface, seen *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	w, err := crds.Watch(ctx, metav1.ListOptions{
		FieldSelector:   fields.OneTermEqualSelector("metadata.name", seen.GetName()).String(),
		ResourceVersion: seen.GetResourceVersion(),
	})
	if err != nil {
		return nil, err
	}
	defer w.Stop()
	select {
	case event := <-w.ResultChan():
		if event.Type == watch.Added || event.Type == watch.Modified {
			return event.Object.(*unstructured.Unstructured), nil
		}
		return crds.Get(ctx, seen.GetName(), metav1.GetOptions{}) // gone, or the watch has ended
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
