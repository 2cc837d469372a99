package transform_test

import (
	"errors"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/transform"
)

func TestChainStopsAtTheFirstError(t *testing.T) {
	failed := errors.New("failed")
	var calls []string
	step := func(name string, err error) cache.Transform[*corev1.Pod] {
		return func(pod *corev1.Pod) (*corev1.Pod, error) {
			calls = append(calls, name)
			return pod, err
		}
	}
	chain := transform.Chain(step("a", nil), nil, step("b", failed), step("c", nil))
	if _, err := chain(new(corev1.Pod)); !errors.Is(err, failed) || !reflect.DeepEqual(calls, []string{"a", "b"}) {
		t.Errorf("called %v, got %v", calls, err)
	}
}

func TestStripManagedFields(t *testing.T) {
	data := podJSON(t, createdPod(1, 1))
	pod, u := decodePod(t, data), decodeUnstructured(t, data)
	want := pod.DeepCopy()
	want.ManagedFields = nil
	if got := must(transform.StripManagedFields[*corev1.Pod]()(pod)); !equality.Semantic.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	if got := must(transform.StripManagedFields[*unstructured.Unstructured]()(u)); len(got.GetManagedFields()) != 0 || got.GetName() != pod.Name {
		t.Errorf("got %v", got)
	}
	partial := &metav1.PartialObjectMetadata{ObjectMeta: *createdPod(1, 1).ObjectMeta.DeepCopy()}
	if got := must(transform.StripManagedFields[*metav1.PartialObjectMetadata]()(partial)); got.ManagedFields != nil {
		t.Errorf("got %v", got)
	}
}

func TestStripAnnotations(t *testing.T) {
	for name, c := range map[string]struct{ annotations, want map[string]string }{
		"some":  {map[string]string{"a": "1", "b": "2", "c": "3"}, map[string]string{"c": "3"}},
		"all":   {map[string]string{"a": "1"}, nil},
		"one":   {map[string]string{"a": "1", "c": "3"}, map[string]string{"c": "3"}},
		"none":  {map[string]string{"c": "3"}, map[string]string{"c": "3"}},
		"empty": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", Annotations: c.annotations}}
			data := podJSON(t, pod)
			if got := must(transform.StripAnnotations[*corev1.Pod]("a", "b", "a")(pod)); !reflect.DeepEqual(got.Annotations, c.want) {
				t.Errorf("got %v, want %v", got.Annotations, c.want)
			}
			u := decodeUnstructured(t, append([]byte(`{"kind":"Pod","apiVersion":"v1",`), data[1:]...))
			if got := must(transform.StripAnnotations[*unstructured.Unstructured]("a", "b", "a")(u)); !reflect.DeepEqual(got.GetAnnotations(), c.want) {
				t.Errorf("unstructured: got %v, want %v", got.GetAnnotations(), c.want)
			}
		})
	}
}

// A map of annotations that other objects hold as well is left as it is.
func TestStripAnnotationsDoesNotWriteToSharedMaps(t *testing.T) {
	chain := transform.Chain(transform.Share[*corev1.Pod](), transform.StripAnnotations[*corev1.Pod]("a"))
	for range 2 {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{"a": "1", "b": "2"}}}
		shared := pod.Annotations
		if got := must(chain(pod)); len(got.Annotations) != 1 || len(shared) != 2 {
			t.Errorf("got %v and %v", got.Annotations, shared)
		}
	}
}

func TestMetadataOnly(t *testing.T) {
	pod := runningPod(1, 1)
	want := &corev1.Pod{TypeMeta: pod.TypeMeta, ObjectMeta: pod.ObjectMeta}
	if got := must(transform.MetadataOnly[*corev1.Pod]()(pod)); got == pod || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	partial := &metav1.PartialObjectMetadata{TypeMeta: pod.TypeMeta, ObjectMeta: pod.ObjectMeta}
	if got := must(transform.MetadataOnly[*metav1.PartialObjectMetadata]()(partial)); !reflect.DeepEqual(got, partial) {
		t.Errorf("got %v", got)
	}
	u := decodeUnstructured(t, podJSON(t, pod))
	got := must(transform.MetadataOnly[*unstructured.Unstructured]()(u))
	if len(got.Object) != 3 || !reflect.DeepEqual(got.Object["metadata"], u.Object["metadata"]) || got.GetKind() != "Pod" {
		t.Errorf("got %v", got)
	}
}

// Where a transform can do nothing it says so, with the type, for each object.
func TestUnsupportedTypes(t *testing.T) {
	for name, f := range map[string]cache.Transform[*odd]{
		"Share": transform.Share[*odd](), "Intern": transform.Intern[*odd](),
	} {
		for range 2 {
			if _, err := f(new(odd)); !errors.Is(err, transform.ErrUnsupported) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
	if _, err := transform.MetadataOnly[*bare]()(&bare{}); !errors.Is(err, transform.ErrUnsupported) {
		t.Errorf("MetadataOnly: got %v", err)
	}
}

// Nor does any of them panic for what no server sends.
func TestNilAndEmptyObjects(t *testing.T) {
	for name, f := range map[string]cache.Transform[*unstructured.Unstructured]{
		"StripManagedFields": transform.StripManagedFields[*unstructured.Unstructured](),
		"StripAnnotations":   transform.StripAnnotations[*unstructured.Unstructured]("a"),
		"MetadataOnly":       transform.MetadataOnly[*unstructured.Unstructured](),
		"Intern":             transform.Intern[*unstructured.Unstructured](),
		"Share":              transform.Share[*unstructured.Unstructured](),
	} {
		if _, err := f(nil); err == nil {
			t.Errorf("%s: nil is no error", name)
		}
		if _, err := f(new(unstructured.Unstructured)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
