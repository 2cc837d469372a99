package crontab

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
)

// readManifest returns the objects of a manifest. A field that their types do not have is an error.
func readManifest(t *testing.T, name string) []runtime.Object {
	t.Helper()
	data, err := os.ReadFile("../../manifests/" + name)
	if err != nil {
		t.Fatal(err)
	}
	types := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, v1.AddToScheme} {
		if err := add(types); err != nil {
			t.Fatal(err)
		}
	}
	decoder := serializer.NewCodecFactory(types, serializer.EnableStrict).UniversalDeserializer()
	var objects []runtime.Object
	for documents := utilyaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(data))); ; {
		document := make([]byte, len(data))
		n, err := documents.Read(document)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := decoder.Decode(document[:n], nil, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		objects = append(objects, object)
	}
}

// find returns the only object of its type in a manifest.
func find[T runtime.Object](t *testing.T, name string) T {
	t.Helper()
	for _, object := range readManifest(t, name) {
		if found, ok := object.(T); ok {
			return found
		}
	}
	var none T
	t.Fatalf("%s has no %T", name, none)
	return none
}

// The rules are enough for a whole life: runs, replacement, history, deletion. What is refused shows in a failed reconcile,
// or as an event that is missing.
func TestRulesAreEnough(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	controller, _ := c.run(setup{client: c.asController(find[*rbacv1.ClusterRole](t, "rbac.yaml"))})
	c.create(func(spec *v1.CronTabSpec) {
		noHistory(spec)
		spec.ConcurrencyPolicy = v1.ReplaceConcurrent
	})
	c.awaitActive(1)
	c.awaitEvent("SuccessfulDelete")
	c.awaitStatus("a run is active", func(status v1.CronTabStatus) bool { return len(status.Active) == 1 })
	c.delete(metav1.DeleteOptions{})
	c.eventually("the CronTab has gone", func() (any, bool) { crontab := c.get(); return crontab, crontab == nil })
	if failures := controller.Status().Failures; failures != 0 {
		t.Errorf("%d reconciles failed", failures)
	}
	if err := errors.Join(controller.CronTabs.Status().LastError, controller.Jobs.Status().LastError); err != nil {
		t.Error(err)
	}
}

func TestRulesHaveNoWildcards(t *testing.T) {
	for _, rule := range find[*rbacv1.ClusterRole](t, "rbac.yaml").Rules {
		if strings.Contains(rule.String(), "*") {
			t.Errorf("rule %v has a wildcard", rule)
		}
	}
}

// asController returns a client configuration of a service account that has the rules in the namespace and no others.
func (c *cluster) asController(role *rbacv1.ClusterRole) *rest.Config {
	c.Helper()
	meta := metav1.ObjectMeta{Namespace: c.namespace, Name: "crontab-controller"}
	_, errAccount := c.kube.CoreV1().ServiceAccounts(c.namespace).Create(c.Context(), &corev1.ServiceAccount{ObjectMeta: meta}, metav1.CreateOptions{})
	_, errRole := c.kube.RbacV1().Roles(c.namespace).Create(c.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: role.Rules}, metav1.CreateOptions{})
	_, errBinding := c.kube.RbacV1().RoleBindings(c.namespace).Create(c.Context(), &rbacv1.RoleBinding{
		ObjectMeta: meta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: meta.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: c.namespace, Name: meta.Name}},
	}, metav1.CreateOptions{})
	token, errToken := c.kube.CoreV1().ServiceAccounts(c.namespace).CreateToken(c.Context(), meta.Name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err := errors.Join(errAccount, errRole, errBinding, errToken); err != nil {
		c.Fatal(err)
	}
	config := rest.AnonymousClientConfig(controlplanetest.Config(c))
	config.BearerToken = token.Status.Token
	return config
}

func TestDeploymentIsAdmittedUnderTheRestrictedProfile(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	deployment := find[*appsv1.Deployment](t, "deployment.yaml")
	account := find[*corev1.ServiceAccount](t, "rbac.yaml")
	labels := find[*corev1.Namespace](t, "namespace.yaml").Labels
	if labels["pod-security.kubernetes.io/enforce"] != "restricted" {
		t.Fatalf("the namespace has labels %v", labels)
	}
	if deployment.Spec.Template.Spec.ServiceAccountName != account.Name || deployment.Namespace != account.Namespace {
		t.Errorf("deployment runs as %q in %q, the account is %q in %q",
			deployment.Spec.Template.Spec.ServiceAccountName, deployment.Namespace, account.Name, account.Namespace)
	}

	namespace, err := c.kube.CoreV1().Namespaces().Get(t.Context(), c.namespace, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(namespace.Labels, labels)
	if _, err = c.kube.CoreV1().Namespaces().Update(t.Context(), namespace, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	dryRun := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict}
	deployment.Namespace = c.namespace
	if _, err = c.kube.AppsV1().Deployments(c.namespace).Create(t.Context(), deployment, dryRun); err != nil {
		t.Error(err)
	}
	// Pod security refuses Pods, not Deployments.
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{GenerateName: "controller-"}, Spec: deployment.Spec.Template.Spec}
	pod.Spec.ServiceAccountName = "default"
	if _, err = c.kube.CoreV1().Pods(c.namespace).Create(t.Context(), pod, dryRun); err != nil {
		t.Error(err)
	}
}

func TestSampleCronTabsAreValid(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	for _, object := range readManifest(t, "crontabs.yaml") {
		crontab, ok := object.(*v1.CronTab)
		if !ok {
			t.Fatalf("crontabs.yaml has a %T", object)
		}
		_, err := c.stable.StableV1().CronTabs(c.namespace).Create(t.Context(), crontab, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
		if err != nil {
			t.Error(err)
		}
	}
}
