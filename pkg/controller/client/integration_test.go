package client_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/pkg/controller/client"
)

// TestNewDefinitionIsFound uses all clients for a kind that comes after they were made.
func TestNewDefinitionIsFound(t *testing.T) {
	clients, namespace := onPlane(t), controlplanetest.Namespace(t)
	gizmo := schema.GroupKind{Group: namespace + ".example.com", Kind: "Gizmo"} // definitions stay: the next run needs another one
	if _, err := clients.Mapper.RESTMapping(gizmo); !meta.IsNoMatchError(err) {
		t.Fatalf("the mapping of a kind that is not there: %v", err)
	}
	controlplanetest.InstallCRD(t, definitionsOf(t, gizmo.Group))
	var mapping *meta.RESTMapping
	await(t, func(context.Context) (err error) {
		clients.Invalidate()
		mapping, err = clients.Mapper.RESTMapping(gizmo)
		return err
	})

	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(mapping.GroupVersionKind)
	obj.SetName("one")
	ctx := t.Context()
	if _, err := clients.Dynamic.Resource(mapping.Resource).Namespace(namespace).Create(ctx, obj, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	partial, err := clients.Metadata.Resource(mapping.Resource).Namespace(namespace).Get(ctx, "one", metav1.GetOptions{})
	if err != nil || partial.UID == "" {
		t.Errorf("the metadata are %v, %v", partial, err)
	}
	rest, err := clients.REST(mapping.GroupVersionKind.GroupVersion())
	if err != nil {
		t.Fatal(err)
	}
	read := &unstructured.Unstructured{}
	if err := rest.Get().Namespace(namespace).Resource(mapping.Resource.Resource).Name("one").Do(ctx).Into(read); err != nil || read.GetUID() != partial.UID {
		t.Errorf("read by hand: %v, %v", read, err)
	}
}

// definitionsOf makes a file of definitions of the group.
func definitionsOf(t *testing.T, group string) string {
	t.Helper()
	content, err := os.ReadFile("../../../hack/controlplane/controlplanetest/testdata/crds.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "crds.yaml")
	content = bytes.ReplaceAll(content, []byte("controlplanetest.example.com"), []byte(group))
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestServerWarns(t *testing.T) {
	clients := onPlane(t)
	for range 2 {
		if _, err := clients.Typed.CoreV1().ComponentStatuses().List(t.Context(), metav1.ListOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	status := clients.Warnings()
	if len(status.Texts) != 1 || status.Texts[0].Count != 2 || !strings.Contains(status.Texts[0].Text, "ComponentStatus is deprecated") {
		t.Errorf("the status is %+v, want one deprecation twice", status)
	}
}

func TestTypedObjectsGoThereAndBack(t *testing.T) {
	clients, namespace := onPlane(t), controlplanetest.Namespace(t)
	configMaps := clients.Typed.CoreV1().ConfigMaps(namespace)
	want := map[string]string{"key": "value"}
	if _, err := configMaps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x"}, Data: want}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	got, err := configMaps.Get(t.Context(), "x", metav1.GetOptions{})
	if err != nil || got.Data["key"] != "value" {
		t.Errorf("read %v, %v", got, err)
	}
}

// onPlane returns clients of the control plane.
func onPlane(t *testing.T) *client.Clients {
	t.Helper()
	config := controlplanetest.Config(t)
	if err := new(client.Options{QPS: -1}).Apply(config); err != nil {
		t.Fatal(err)
	}
	return dial(t, config)
}
