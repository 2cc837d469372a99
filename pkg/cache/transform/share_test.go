package transform_test

import (
	"reflect"
	"strconv"
	"sync"
	"testing"
	"unsafe"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"pgregory.net/rapid"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/transform"
)

// Readers see no difference: after any pods before it, a pod equals the copy that was taken before.
func TestShareAndInternKeepObjectsEqual(t *testing.T) {
	for name, newTransform := range map[string]func() cache.Transform[*corev1.Pod]{
		"Share": transform.Share[*corev1.Pod], "Intern": transform.Intern[*corev1.Pod],
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				f := newTransform()
				pods, copies := []*corev1.Pod{}, []*corev1.Pod{}
				for range rapid.IntRange(1, 8).Draw(t, "pods") {
					pod := randomPod(t, "seed")
					copies = append(copies, pod.DeepCopy())
					pods = append(pods, must(f(pod)))
				}
				for i := range pods { // also those from before are as they were
					if !equality.Semantic.DeepEqual(pods[i], copies[i]) {
						t.Fatalf("pod %d changed:\n%v\n%v", i, copies[i], pods[i])
					}
				}
			})
		})
	}
}

// Whatever two equal pods are made of, they share it all, unless it holds what is left alone.
func TestShareSharesAllOfEqualPods(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		share := transform.Share[*corev1.Pod]()
		a := randomPod(t, "pod")
		b := a.DeepCopy()
		a, b = must(share(a)), must(share(b))
		if path := apart(reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem(), ""); path != "" {
			t.Fatalf("not shared: %s", path)
		}
	})
}

// apart returns the path of a part that is equal in a and b, and not the same.
func apart(a, b reflect.Value, path string) string {
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if f := a.Type().Field(i); f.IsExported() {
				if p := apart(a.Field(i), b.Field(i), path+"."+f.Name); p != "" {
					return p
				}
			}
		}
	case reflect.Pointer, reflect.Map, reflect.Slice:
		empty := a.IsNil() || a.Kind() != reflect.Pointer && a.Len() == 0
		if !empty && a.UnsafePointer() != b.UnsafePointer() {
			return path
		}
	}
	return ""
}

// What one reader appends to a slice that objects share, another one does not see.
func TestNobodyAppendsToWhatOthersShare(t *testing.T) {
	podWith := func(c corev1.Container) *corev1.Pod {
		return &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{c}}}
	}
	share := transform.Share[*corev1.Pod]()
	for name, newPod := range map[string]func() *corev1.Pod{
		"too little to be moved": func() *corev1.Pod { return podWith(corev1.Container{Args: make([]string, 1, 2)}) },
		"none yet":               func() *corev1.Pod { return podWith(corev1.Container{Args: make([]string, 0, 2)}) },
		"of arguments that were new too often": func() *corev1.Pod {
			for i := range 1100 {
				must(share(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Finalizers: []string{strconv.Itoa(i)}}}))
			}
			return podWith(corev1.Container{Name: "unlucky", Args: make([]string, 1, 2)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := must(share(newPod())), must(share(newPod()))
			if &a.Spec.Containers[0] != &b.Spec.Containers[0] {
				t.Fatal("not shared")
			}
			args := a.Spec.Containers[0].Args
			if cap(args) != len(args) || args == nil {
				t.Errorf("the capacity is %d, the length %d", cap(args), len(args))
			}
		})
	}
}

func TestNobodyAppendsToValuesThatOthersShare(t *testing.T) {
	share := transform.Share[*corev1.Secret]()
	secret := must(share(&corev1.Secret{Data: map[string][]byte{"token": make([]byte, 1, 2)}}))
	if value := secret.Data["token"]; cap(value) != 1 {
		t.Errorf("the capacity of a value is %d", cap(value))
	}
	shareAny := transform.Share[*unstructured.Unstructured]()
	u := must(shareAny(&unstructured.Unstructured{Object: map[string]any{"a": make([]any, 1, 2), "b": make([]any, 0, 2)}}))
	if cap(u.Object["a"].([]any)) != 1 || cap(u.Object["b"].([]any)) != 0 {
		t.Errorf("the capacities of lists are %d and %d", cap(u.Object["a"].([]any)), cap(u.Object["b"].([]any)))
	}
}

// Two slices of quantities are shared although String writes into a quantity: it has nothing left to write.
func TestShareMakesQuantitiesReadOnly(t *testing.T) {
	share := transform.Share[*corev1.Pod]()
	pods := make([]*corev1.Pod, 2)
	for i := range pods {
		limit := resource.MustParse("1000m")
		pods[i] = must(share(&corev1.Pod{Spec: corev1.PodSpec{Volumes: []corev1.Volume{
			{VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: &limit}}},
		}}}))
	}
	if &pods[0].Spec.Volumes[0] != &pods[1].Spec.Volumes[0] {
		t.Fatal("not shared")
	}
	var readers sync.WaitGroup
	for _, pod := range pods { // the race detector watches
		readers.Go(func() { _ = pod.Spec.Volumes[0].EmptyDir.SizeLimit.String() })
	}
	must(share(pods[0].DeepCopy()))
	readers.Wait()
}

// Several informers share one transform, while handlers read what it returned.
func TestShareConcurrently(t *testing.T) {
	share := transform.Share[*corev1.Pod]()
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for n := range 300 {
				pod := decodePod(t, podJSON(t, runningPod(n%7, n)))
				before := pod.DeepCopy()
				if pod = must(share(pod)); !equality.Semantic.DeepEqual(pod, before) {
					t.Error("the pod changed")
				}
			}
		})
	}
	workers.Wait()
}

func TestShareUnstructured(t *testing.T) {
	share := transform.Share[*unstructured.Unstructured]()
	data := podJSON(t, runningPod(1, 1))
	a, b := decodeUnstructured(t, data), decodeUnstructured(t, data)
	before := a.DeepCopy()
	a, b = must(share(a)), must(share(b))
	if !equality.Semantic.DeepEqual(a, before) || !equality.Semantic.DeepEqual(b, before) {
		t.Error("the object changed")
	}
	for _, key := range []string{"spec", "status"} {
		if reflect.ValueOf(a.Object[key]).Pointer() != reflect.ValueOf(b.Object[key]).Pointer() {
			t.Errorf("%s is not shared", key)
		}
	}
	if reflect.ValueOf(a.Object["metadata"]).Pointer() == reflect.ValueOf(b.Object["metadata"]).Pointer() {
		t.Error("metadata is shared, so that a name could not be set")
	}
	labels := func(u *unstructured.Unstructured) uintptr {
		return reflect.ValueOf(u.Object["metadata"].(map[string]any)["labels"]).Pointer()
	}
	if labels(a) != labels(b) {
		t.Error("labels are not shared")
	}
}

// A string has the same bytes in the next object, also as a key or a value of a map.
func TestInternSharesBytes(t *testing.T) {
	intern := transform.Intern[*corev1.Pod]()
	a, b := decodePod(t, podJSON(t, createdPod(1, 1))), decodePod(t, podJSON(t, createdPod(1, 2)))
	a, b = must(intern(a)), must(intern(b))
	same := func(x, y string) bool { return x == y && unsafe.StringData(x) == unsafe.StringData(y) }
	if !same(a.Spec.Containers[0].Image, b.Spec.Containers[0].Image) || !same(a.Namespace, b.Namespace) {
		t.Error("strings of fields are not shared")
	}
	for key, value := range a.Labels {
		for otherKey, other := range b.Labels {
			if key == otherKey && (!same(key, otherKey) || !same(value, other)) {
				t.Errorf("label %q is not shared", key)
			}
		}
	}
	if &a.Spec.Containers[0] == &b.Spec.Containers[0] {
		t.Error("more than strings is shared")
	}
}

func TestInternUnstructured(t *testing.T) {
	intern := transform.Intern[*unstructured.Unstructured]()
	data := podJSON(t, createdPod(1, 1))
	a, b := decodeUnstructured(t, data), decodeUnstructured(t, data)
	before := a.DeepCopy()
	a, b = must(intern(a)), must(intern(b))
	if !equality.Semantic.DeepEqual(a, before) || !equality.Semantic.DeepEqual(b, before) {
		t.Error("the object changed")
	}
	x, _, _ := unstructured.NestedString(a.Object, "spec", "schedulerName")
	y, _, _ := unstructured.NestedString(b.Object, "spec", "schedulerName")
	if unsafe.StringData(x) != unsafe.StringData(y) {
		t.Error("strings are not shared")
	}
}

// odd is an object that the plans do not understand.
type odd struct {
	metav1.TypeMeta
	metav1.ObjectMeta
	secret []string
}

func (o *odd) DeepCopyObject() runtime.Object { return &odd{secret: o.secret} }

// bare is an object that has its metadata elsewhere than others.
type bare struct{ *corev1.Pod }

func FuzzShareUnstructured(f *testing.F) {
	f.Add([]byte(`{"apiVersion":"v1","kind":"A","metadata":{"name":"a","labels":{"x":"y"}},"spec":[1,1.5,null,true,"s",{"a":[{}]}]}`),
		[]byte(`{"apiVersion":"v1","kind":"A","metadata":{"labels":{"x":"y"}},"spec":{"a":[],"b":[{}],"c":{"a":[{}]}}}`))
	f.Add([]byte(`{"kind":"A","metadata":"none","spec":{"":""}}`), []byte(`{"kind":"A","metadata":[[]],"":{"":""}}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		share := transform.Chain(transform.Intern[*unstructured.Unstructured](), transform.Share[*unstructured.Unstructured]())
		for _, data := range [][]byte{a, b, a, b} {
			obj := new(unstructured.Unstructured)
			if err := obj.UnmarshalJSON(data); err != nil {
				t.Skip()
			}
			before := obj.DeepCopy()
			if got := must(share(obj)); !reflect.DeepEqual(got, before) {
				t.Fatalf("changed from\n%v to\n%v", before, got)
			}
		}
	})
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
