package write_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

// An applier is a client that answers each Apply with the same object, or an error.
type applier struct {
	write.Client[*corev1.ConfigMap]

	obj  *corev1.ConfigMap
	err  error
	sent []string
}

func (a *applier) Patch(
	_ context.Context, name string, kind types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string,
) (*corev1.ConfigMap, error) {
	a.sent = append(a.sent, fmt.Sprintf("%s%q as %s, force %v: %s", name, subresources, opts.FieldManager, *opts.Force, data))
	if kind != types.ApplyPatchType {
		return nil, errors.New("no Apply")
	}
	return a.obj, a.err
}

func stored() *corev1.ConfigMap {
	obj := configMap("a", map[string]string{"n": "1"})
	obj.UID, obj.ResourceVersion, obj.Generation = "u", "7", 1
	return obj
}

func managed(obj *corev1.ConfigMap, manager, fields string) *corev1.ConfigMap {
	obj.ManagedFields = append(obj.ManagedFields, metav1.ManagedFieldsEntry{
		Manager: manager, Operation: metav1.ManagedFieldsOperationApply, APIVersion: "v1", Time: &metav1.Time{Time: time.Now()},
		FieldsV1: metav1.NewFieldsV1(fields),
	})
	return obj
}

func TestApplyIsSentAgainUnlessSureOfTheObject(t *testing.T) {
	const mine = `{"f:data":{"f:n":{}}}`
	later := func(change func(*corev1.ConfigMap)) func(*corev1.ConfigMap) {
		return func(obj *corev1.ConfigMap) { obj.ResourceVersion = "8"; change(obj) }
	}
	tests := map[string]struct {
		after     func(*corev1.ConfigMap) // applied; how the cached one differs from what Apply has returned
		unmanaged bool                    // the cache drops managed fields
		sent      bool
	}{
		"the same":                        {func(*corev1.ConfigMap) {}, false, false},
		"the same, unmanaged":             {func(*corev1.ConfigMap) {}, true, false},
		"later":                           {later(func(*corev1.ConfigMap) {}), false, false},
		"later, unmanaged":                {later(func(*corev1.ConfigMap) {}), true, false},
		"later, unmanaged, no generation": {later(func(c *corev1.ConfigMap) { c.Generation = 0 }), true, true},
		"content":                         {later(func(c *corev1.ConfigMap) { c.Data = map[string]string{"n": "2"} }), false, true},
		"content, unmanaged":              {later(func(c *corev1.ConfigMap) { c.Data = map[string]string{"n": "2"} }), true, true},
		"generation":                      {later(func(c *corev1.ConfigMap) { c.Generation++ }), true, true},
		"label":                           {later(func(c *corev1.ConfigMap) { c.Labels = map[string]string{"a": "b"} }), true, true},
		"annotation":                      {later(func(c *corev1.ConfigMap) { c.Annotations = map[string]string{"a": "b"} }), true, true},
		"finalizer":                       {later(func(c *corev1.ConfigMap) { c.Finalizers = []string{"a"} }), true, true},
		"owner":                           {later(func(c *corev1.ConfigMap) { c.OwnerReferences = []metav1.OwnerReference{{UID: "o"}} }), true, true},
		"made again":                      {func(c *corev1.ConfigMap) { c.UID = "v" }, false, true},
		"fields lost to another manager":  {later(func(c *corev1.ConfigMap) { c.ManagedFields = nil; managed(c, "other", mine) }), false, true},
		"another manager beside":          {later(func(c *corev1.ConfigMap) { managed(c, "other", mine) }), false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client := &applier{obj: managed(stored(), "me", mine)}
			v := newView()
			w := write.New(func(string) *applier { return client }, v, write.Config{FieldManager: "me"})
			config := applycorev1.ConfigMap("a", "default").WithData(map[string]string{"n": "1"})
			want[*corev1.ConfigMap](t, write.Created)(w.Apply(t.Context(), config))
			cached := client.obj.DeepCopy()
			test.after(cached)
			if test.unmanaged {
				cached.ManagedFields = nil
			}
			v.objects["a"] = cached
			if _, _, err := w.Apply(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			if sent := len(client.sent) == 2; sent != test.sent {
				t.Errorf("sent again: %v, want %v", sent, test.sent)
			}
		})
	}
}

// A ConfigMap has no generation: without managed fields nothing tells that it is still ours.
func TestApplyIsNotSureWithoutGenerationAndManagedFields(t *testing.T) {
	client := &applier{obj: stored()}
	client.obj.Generation = 0
	v := newView()
	w := write.New(func(string) *applier { return client }, v, write.Config{FieldManager: "me"})
	for range 2 {
		if _, _, err := w.Apply(t.Context(), applycorev1.ConfigMap("a", "default")); err != nil {
			t.Fatal(err)
		}
		later := client.obj.DeepCopy()
		later.ResourceVersion = "8"
		v.objects["a"] = later
	}
	if len(client.sent) != 2 {
		t.Errorf("sent %q", client.sent)
	}
}

func TestAnotherConfigurationIsSent(t *testing.T) {
	client := &applier{obj: stored()}
	w := write.New(func(string) *applier { return client }, newView(stored()), write.Config{FieldManager: "me"})
	for _, data := range []string{"1", "1", "2", "1"} {
		if _, _, err := w.Apply(t.Context(), applycorev1.ConfigMap("a", "default").WithData(map[string]string{"n": data})); err != nil {
			t.Fatal(err)
		}
	}
	if len(client.sent) != 3 {
		t.Errorf("sent %q", client.sent)
	}
}

func TestAFailedApplyIsForgotten(t *testing.T) {
	client := &applier{obj: stored()}
	w := write.New(func(string) *applier { return client }, newView(stored()), write.Config{FieldManager: "me"})
	one, two := applycorev1.ConfigMap("a", "default"), applycorev1.ConfigMap("a", "default").WithData(map[string]string{"n": "2"})
	for n, config := range []*applycorev1.ConfigMapApplyConfiguration{one, two, one} {
		client.err = nil
		if n == 1 { // it may have got through for all we know
			client.err = errors.New("connection cut")
		}
		if _, _, err := w.Apply(t.Context(), config); (err != nil) != (n == 1) {
			t.Errorf("Apply %d: %v", n, err)
		}
	}
	if len(client.sent) != 3 {
		t.Errorf("sent %q", client.sent)
	}
}

func TestRemember(t *testing.T) {
	for remember, want := range map[int]int{0: 2, 2: 2, 1: 4, -1: 4} { // of two objects, applied twice
		client := &applier{}
		v := newView()
		w := write.New(func(string) *applier { return client }, v, write.Config{FieldManager: "me", Remember: remember})
		for range 2 {
			for _, name := range []string{"a", "b"} {
				client.obj = stored()
				client.obj.Name = name
				v.objects[name] = client.obj
				if _, _, err := w.Apply(t.Context(), applycorev1.ConfigMap(name, "default")); err != nil {
					t.Fatal(err)
				}
			}
		}
		if len(client.sent) != want {
			t.Errorf("with Remember %d %d were sent, want %d", remember, len(client.sent), want)
		}
	}
}

func TestWhatApplySends(t *testing.T) {
	client := &applier{obj: stored()}
	w := write.New(func(string) *applier { return client }, nil, write.Config{FieldManager: "me", Force: true})
	want[*corev1.ConfigMap](t, write.Updated)(w.ApplyStatus(t.Context(), applycorev1.ConfigMap("a", "default")))
	const sent = `a["status"] as me, force true: {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"default"}}`
	if client.sent[0] != sent {
		t.Errorf("sent %s\nwant %s", client.sent[0], sent)
	}
}

// What has a status exists, whether the view has it or not.
func TestApplyStatusCreatesNothing(t *testing.T) {
	client := &applier{obj: stored()}
	w := write.New(func(string) *applier { return client }, newView(), write.Config{FieldManager: "me"})
	want[*corev1.ConfigMap](t, write.Updated)(w.ApplyStatus(t.Context(), applycorev1.ConfigMap("a", "default")))
}

func TestApplyNamesWhatIsWrong(t *testing.T) {
	client := &applier{obj: stored()}
	anonymous := write.New(func(string) *applier { return client }, nil, write.Config{})
	w := write.New(func(string) *applier { return client }, nil, write.Config{FieldManager: "me"})
	wrong := func(_ *corev1.ConfigMap, _ write.Effect, err error) error { return err }
	errs := map[string]error{
		"FieldManager":                wrong(anonymous.Apply(t.Context(), applycorev1.ConfigMap("a", "default"))),
		"metadata.name is empty":      wrong(w.Apply(t.Context(), applycorev1.ConfigMap("", "default"))),
		"metadata.namespace is empty": wrong(w.Apply(t.Context(), applycorev1.Namespace("a"))),
		"apiVersion is empty":         wrong(w.Apply(t.Context(), write.FromUnstructured(&unstructured.Unstructured{Object: map[string]any{"kind": "ConfigMap"}}))),
		"metadata.managedFields": wrong(w.Apply(t.Context(), write.FromUnstructured(&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"managedFields": []any{}},
		}}))),
		"the configuration is nil": wrong(w.Apply(t.Context(), nil)),
	}
	for text, err := range errs {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("the error is %v, want it to say %q", err, text)
		}
	}
	if len(client.sent) != 0 {
		t.Errorf("sent %q", client.sent)
	}
}

func TestConflictsAreRead(t *testing.T) {
	causes := []metav1.StatusCause{
		{Type: metav1.CauseTypeFieldManagerConflict, Message: `conflict with "a \"b\"" with subresource "status" using v1 at 2026-01-01T00:00:00Z`, Field: ".data.n"},
		{Type: metav1.CauseTypeFieldManagerConflict, Message: "in other words", Field: ".data.m"},
		{Type: metav1.CauseTypeFieldValueInvalid, Message: "not a conflict"},
	}
	client := &applier{err: apierrors.NewApplyConflict(causes, "conflict")}
	w := write.New(func(string) *applier { return client }, nil, write.Config{FieldManager: "me"})
	_, _, err := w.Apply(t.Context(), applycorev1.ConfigMap("a", "default"))
	conflict, ok := errors.AsType[*write.ConflictError](err)
	if !ok || fmt.Sprint(conflict.Conflicts) != `[{a "b" .data.n} { .data.m}]` || !apierrors.IsConflict(err) {
		t.Errorf("the error is %v", err)
	}
	client.err = apierrors.NewApplyConflict([]metav1.StatusCause{{Type: metav1.CauseTypeFieldManagerConflict, Message: "conflict with \"a\\n\" using v1", Field: ".spec.x\x1b[2J"}}, "conflict")
	_, _, err = w.Apply(t.Context(), applycorev1.ConfigMap("a", "default"))
	if err == nil || !strings.HasSuffix(err.Error(), `".spec.x\x1b[2J" is owned by "a\n"`) {
		t.Errorf("the error is %v, want it to be quoted", err)
	}
	client.err = apierrors.NewConflict(configMaps, "a", errors.New("resourceVersion"))
	_, _, err = w.Apply(t.Context(), applycorev1.ConfigMap("a", "default"))
	if _, ok := errors.AsType[*write.ConflictError](err); ok || !apierrors.IsConflict(err) {
		t.Errorf("the error is %v, want a plain conflict", err)
	}
}
