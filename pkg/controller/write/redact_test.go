package write_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

// TestSecretsStayOutOfErrors sends to a real API server what it refuses in all ways that we know of.
func TestSecretsStayOutOfErrors(t *testing.T) {
	const canary = "Y2FuYXJ5" // base64 of "canary"
	p := newPlane(t)
	typed := write.New(p.CoreV1().Secrets, nil, write.Config{FieldManager: "me"})
	untyped := write.New(write.Dynamic(p.dynamic.Resource(corev1.SchemeGroupVersion.WithResource("secrets"))), nil, write.Config{FieldManager: "me"})
	secret := &corev1.Secret{ObjectMeta: p.configMap("a", nil).ObjectMeta, Data: map[string][]byte{"key": []byte("canary")}}
	secret = must[*corev1.Secret](t)(typed.Create(t.Context(), secret))

	errs := map[string]error{}
	patch := func(kind types.PatchType, data string) {
		_, _, errs[data] = typed.Patch(t.Context(), secret, write.Raw(kind, []byte(data)))
	}
	for _, data := range []string{`{"data":{"key":"canary!"}}`, `{"data":{"key":["canary"]}}`, `{"data":"canary"}`, `{"metadata":{"labels":"canary"}}`} {
		patch(types.MergePatchType, data)
		patch(types.StrategicMergePatchType, " "+data)
	}
	for _, data := range []string{
		`[{"op":"test","path":"/data/key","value":"canary"}]`,
		`[{"op":"replace","path":"/data","value":"canary"}]`,
		`[{"op":"add","path":"/no/where","value":"canary"}]`,
		`{"canary":"canary"}`,
	} {
		patch(types.JSONPatchType, data)
	}
	fields := func(data any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"namespace": p.namespace, "name": "b"}, "data": data,
		}}
	}
	for name, data := range map[string]any{"a list": map[string]any{"k": []any{"canary"}}, "no map": "canary", "no base64": map[string]any{"k": "canary!"}} {
		_, errs["create "+name] = untyped.Create(t.Context(), fields(data))
		_, _, errs["apply "+name] = untyped.Apply(t.Context(), write.FromUnstructured(fields(data)))
	}
	_, _, errs["change"] = typed.Change(t.Context(), secret, func(s *corev1.Secret) error { s.Data["no key"] = []byte("canary"); return nil })
	_, _, errs["made again"] = typed.Change(t.Context(), secret, func(s *corev1.Secret) error { s.UID = "another"; return nil })
	for call, err := range errs {
		if err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), canary) {
			t.Errorf("%s gives %v", call, err)
		}
		if status, ok := errors.AsType[*apierrors.StatusError](err); ok && strings.Contains(status.ErrStatus.String(), canary) {
			t.Errorf("%s has in its status %v", call, status.ErrStatus.String())
		}
	}
	if err := errs[`{"data":"canary"}`]; controller.Classify(err) != controller.Terminal || !strings.Contains(err.Error(), "Secret.data") {
		t.Errorf("the error is %v, want it to be terminal, and to name the field", err)
	}
	if err := errs["apply a list"]; !strings.Contains(err.Error(), ".data.k: expected string") {
		t.Errorf("the error is %v, want it to name the field", err)
	}
}

// The reason is left out if it is not where it is known to be.
func TestAnObjectThatIsQuotedInAnotherWayIsLeftOut(t *testing.T) {
	for _, message := range []string{`Invalid value: {canary}: no`, "canary"} {
		refused := apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind("ConfigMap").GroupKind(), "a", nil)
		refused.ErrStatus.Message = message
		refused.ErrStatus.Details.Causes = slices.Concat(refused.ErrStatus.Details.Causes, []metav1.StatusCause{{Field: "patch", Message: message}})
		s := newServer()
		s.refuse = func(string) error { return refused }
		w, _ := newWriter(t, s, write.Config{})
		_, _, err := w.Change(t.Context(), s.put("a", nil), set("a", "b"))
		if err == nil || strings.Contains(err.Error(), "canary") || !apierrors.IsInvalid(err) {
			t.Errorf("the error is %v", err)
		}
		if !strings.Contains(refused.ErrStatus.Message, "canary") {
			t.Error("the error of the client was changed")
		}
	}
}
