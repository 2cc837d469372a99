package transform_test

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/pkg/cache/transform"
)

// What most caches of pods want: nothing that nobody reads, and everything else once.
func Example() {
	f := transform.Chain(
		transform.StripManagedFields[*corev1.Pod](),
		transform.StripAnnotations[*corev1.Pod](corev1.LastAppliedConfigAnnotation),
		transform.Share[*corev1.Pod](),
	)
	pod := func(name string) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: "{}"}},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "nginx"}}},
		}
	}
	a, _ := f(pod("a"))
	b, _ := f(pod("b"))
	fmt.Println(a.Name, a.Annotations, a.Spec.Containers[0].Image)
	fmt.Println(b.Name, "has the same containers:", &a.Spec.Containers[0] == &b.Spec.Containers[0])
	// Output:
	// a map[] nginx
	// b has the same containers: true
}

// A controller that only looks at labels needs no more than these.
func ExampleMetadataOnly() {
	f := transform.Chain(transform.MetadataOnly[*corev1.Pod](), transform.StripManagedFields[*corev1.Pod]())
	pod, err := f(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Labels: map[string]string{"app": "shop"}},
		Spec:       corev1.PodSpec{NodeName: "node-1"},
	})
	fmt.Println(pod.Name, pod.Labels["app"], pod.Spec.NodeName == "", err)
	// Output: web shop true <nil>
}

// A transform for one type is a function, and goes into a chain like the others.
func ExampleChain() {
	f := transform.Chain(
		func(secret *corev1.Secret) (*corev1.Secret, error) {
			secret.Data = nil
			return secret, nil
		},
		transform.Intern[*corev1.Secret](),
	)
	secret, err := f(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "token"}, Data: map[string][]byte{"token": []byte("s3cret")}})
	fmt.Println(secret.Name, len(secret.Data), err)
	// Output: token 0 <nil>
}

func ExampleShare() {
	share := transform.Share[*corev1.Node]()
	node := func(name string) *corev1.Node {
		return &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"zone": "a"}},
			Spec:       corev1.NodeSpec{Taints: []corev1.Taint{{Key: "gpu", Effect: corev1.TaintEffectNoSchedule}}},
		}
	}
	a, _ := share(node("a"))
	b, _ := share(node("b"))
	fmt.Println(&a.Spec.Taints[0] == &b.Spec.Taints[0])
	// Output: true
}
