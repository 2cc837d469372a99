package owner_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/controller/owner"
)

func object(namespace, name string, uid types.UID) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: uid}}
}

var kind = corev1.SchemeGroupVersion.WithKind("ConfigMap")

func TestSet(t *testing.T) {
	other := metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "other", UID: "o"}
	mine := *metav1.NewControllerRef(object("ns", "parent", "p"), kind)
	uncontrolled := mine
	uncontrolled.Controller, uncontrolled.BlockOwnerDeletion = nil, nil
	tests := map[string]struct{ refs, want []metav1.OwnerReference }{
		"none":                  {nil, []metav1.OwnerReference{mine}},
		"another owner":         {[]metav1.OwnerReference{other}, []metav1.OwnerReference{other, mine}},
		"there":                 {[]metav1.OwnerReference{mine, other}, []metav1.OwnerReference{mine, other}},
		"there, not controller": {[]metav1.OwnerReference{uncontrolled, other}, []metav1.OwnerReference{mine, other}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			child, parent := object("ns", "child", "c"), object("ns", "parent", "p")
			child.OwnerReferences = test.refs
			was := fmt.Sprint(test.refs)
			if err := owner.Set(child, parent, kind); err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(names(child.OwnerReferences)) != fmt.Sprint(names(test.want)) {
				t.Errorf("the references are %v, want %v", names(child.OwnerReferences), names(test.want))
			}
			if !owner.Has(child, parent) || !owner.HasController(child, parent) {
				t.Error("the parent is not the controller")
			}
			if fmt.Sprint(test.refs) != was {
				t.Error("the list that the child had was changed: it may be cached")
			}
		})
	}
}

func names(refs []metav1.OwnerReference) []string {
	var names []string
	for _, ref := range refs {
		names = append(names, fmt.Sprint(ref.Name, ref.UID, ref.Controller != nil && *ref.Controller))
	}
	return names
}

func TestSetRefuses(t *testing.T) {
	nowhere := schema.GroupVersionKind{}
	tests := map[string]struct {
		child, parent *corev1.ConfigMap
		kind          schema.GroupVersionKind
	}{
		"metadata.uid of the parent":         {object("ns", "c", ""), object("ns", "p", ""), kind},
		"metadata.name of the parent":        {object("ns", "c", ""), object("ns", "", "p"), kind},
		`of the child is "other"`:            {object("other", "c", ""), object("ns", "p", "p"), kind},
		"of the child is empty":              {object("", "c", ""), object("ns", "p", "p"), kind},
		"has no kind":                        {object("ns", "c", ""), object("ns", "p", "p"), nowhere},
		"the parent is the child":            {object("ns", "p", "p"), object("ns", "p", "p"), kind},
		"":                                   {object("ns", "c", ""), object("", "p", "p"), kind}, // a parent without namespace
		`"ns/c" is controlled by "Job/j", U`: {controlled(), object("ns", "p", "p"), kind},
	}
	for text, test := range tests {
		t.Run(text, func(t *testing.T) {
			before := fmt.Sprint(test.child.OwnerReferences)
			err := owner.Set(test.child, test.parent, test.kind)
			if text == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("the error is %v, want it to say %q", err, text)
			}
			if fmt.Sprint(test.child.OwnerReferences) != before {
				t.Error("the child was changed")
			}
		})
	}
}

func controlled() *corev1.ConfigMap {
	obj := object("ns", "c", "")
	obj.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: "j", UID: "j", Controller: new(true)}}
	return obj
}

func TestAnotherControllerIsNamed(t *testing.T) {
	err := owner.Set(controlled(), object("ns", "p", "p"), kind)
	owned, ok := errors.AsType[*owner.OwnedError](err)
	if !ok || owned.Controller.Name != "j" || owned.Child.Name != "c" {
		t.Errorf("the error is %v", err)
	}
}

// Anybody may give an owner reference any kind and name.
func TestForgedNamesAreQuoted(t *testing.T) {
	child := controlled()
	child.Namespace, child.OwnerReferences[0].Kind = "", "J\x1b[2J\n\u202e"
	err := owner.Set(child, object("", "p", "p"), kind)
	if err == nil || err.Error() != `owner: "c" is controlled by "J\x1b[2J\n\u202e/j", UID "j"` {
		t.Errorf("the error is %v", err)
	}
}

func TestReleaseIsByUID(t *testing.T) {
	child, parent := object("ns", "child", "c"), object("ns", "parent", "p")
	if err := owner.Set(child, parent, kind); err != nil {
		t.Fatal(err)
	}
	again := object("ns", "parent", "p2")
	if owner.Has(child, again) || owner.HasController(child, again) || owner.Release(child, again) {
		t.Error("one of the same name is taken for the parent")
	}
	if !owner.Release(child, parent) || owner.Has(child, parent) || owner.Release(child, parent) {
		t.Error("the parent is not released")
	}
	child.OwnerReferences = []metav1.OwnerReference{{Name: "forged", Controller: new(true)}}
	if unread := object("ns", "forged", ""); owner.Has(child, unread) || owner.HasController(child, unread) {
		t.Error("without a UID one is as good as another")
	}
}

func Example() {
	parent := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", UID: "1"}}
	child := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "settings"}}
	deployment := appsv1.SchemeGroupVersion.WithKind("Deployment")
	fmt.Println(owner.Set(child, parent, deployment), owner.HasController(child, parent))

	other := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "other", UID: "2"}}
	fmt.Println(owner.Set(child, other, deployment))
	// Output:
	// <nil> true
	// owner: "default/settings" is controlled by "Deployment/web", UID "1"
}
