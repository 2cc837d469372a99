package wire_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
)

// text draws strings with what is special in one of the encodings.
func text() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.SampledFrom([]rune("ab\"\\{}[]:,<&\n\x00\u2028é日😀\x7f k8s")), 0, 40, -1)
}

func texts() *rapid.Generator[map[string]string] { return rapid.MapOfN(text(), text(), 0, 4) }

func drawMeta(t *rapid.T) metav1.ObjectMeta {
	m := metav1.ObjectMeta{
		Name:            text().Draw(t, "name"),
		Namespace:       text().Draw(t, "namespace"),
		UID:             types.UID(text().Draw(t, "uid")),
		ResourceVersion: text().Draw(t, "version"),
		Generation:      rapid.Int64().Draw(t, "generation"),
		Labels:          texts().Draw(t, "labels"),
		Annotations:     texts().Draw(t, "annotations"),
		Finalizers:      rapid.SliceOfN(text(), 0, 2).Draw(t, "finalizers"),
	}
	if rapid.Bool().Draw(t, "created") {
		m.CreationTimestamp = metav1.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "second"), 0)
	}
	for range rapid.SampledFrom([]int{0, 1, 2, 40}).Draw(t, "managers") {
		m.ManagedFields = append(m.ManagedFields, managed(text().Draw(t, "manager")))
	}
	return m
}

func managed(manager string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{
		Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "v1", FieldsType: "FieldsV1",
		Time: &metav1.Time{Time: time.Unix(1e9, 0)},
		FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:labels":{".":{},"f:app.kubernetes.io/name":{}},` +
			`"f:ownerReferences":{"k:{\"uid\":\"6f1c\"}":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"app\"}":{".":{},"f:env":{}}}}}`),
	}
}

// draw draws an object of a family.
func (f family) draw(t *rapid.T) runtime.Object {
	switch f.name {
	case "pods":
		pod := &corev1.Pod{ObjectMeta: drawMeta(t), Spec: corev1.PodSpec{NodeName: text().Draw(t, "node")}}
		for range rapid.IntRange(0, 3).Draw(t, "containers") {
			pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: text().Draw(t, "container"), Args: rapid.SliceOfN(text(), 0, 3).Draw(t, "args")})
		}
		return pod
	case "config maps":
		return &corev1.ConfigMap{ObjectMeta: drawMeta(t), Data: texts().Draw(t, "data"), BinaryData: map[string][]byte{"b": rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")}}
	case "cron tabs":
		tab := &stablev1.CronTab{ObjectMeta: drawMeta(t), Spec: stablev1.CronTabSpec{Schedule: text().Draw(t, "schedule"), Command: rapid.SliceOfN(text(), 0, 3).Draw(t, "command")}}
		tab.SetGroupVersionKind(f.kind)
		return tab
	case "metadata":
		partial := &metav1.PartialObjectMetadata{ObjectMeta: drawMeta(t)}
		partial.SetGroupVersionKind(f.kind)
		return partial
	}
	return f.drawMap(t)
}

// drawMap draws an object without a Go type.
func (f family) drawMap(t *rapid.T) runtime.Object {
	meta := drawMeta(t)
	metadata, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&meta)
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{Object: map[string]any{"metadata": metadata, "spec": drawValue(t, 3)}}
	if rapid.Bool().Draw(t, "kind") {
		u.SetGroupVersionKind(f.kind)
	}
	return u
}

func drawValue(t *rapid.T, depth int) any {
	switch n := rapid.IntRange(0, 5+min(depth, 1)*2).Draw(t, "what"); n {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.Int64().Draw(t, "int")
	case 3:
		return rapid.Float64Range(-1e300, 1e300).Draw(t, "float")
	case 6:
		list := []any{}
		for range rapid.IntRange(0, 4).Draw(t, "length") {
			list = append(list, drawValue(t, depth-1))
		}
		return list
	case 7:
		m := map[string]any{}
		for range rapid.IntRange(0, 4).Draw(t, "keys") {
			m[text().Draw(t, "key")] = drawValue(t, depth-1)
		}
		return m
	}
	return text().Draw(t, "string")
}

// draws returns a few objects.
func (f family) draws(t *rapid.T) []runtime.Object {
	objects := []runtime.Object{}
	for range rapid.IntRange(0, 4).Draw(t, "objects") {
		objects = append(objects, f.draw(t))
	}
	return objects
}
