package crontab

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/controller"
)

// readManifest returns the objects of a manifest. A field that their types do not have is an error.
func readManifest(t *testing.T, name string) []runtime.Object {
	t.Helper()
	data, err := os.ReadFile("../../manifests/" + name)
	if err != nil {
		t.Fatal(err)
	}
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, v1.AddToScheme} {
		if err := add(known); err != nil {
			t.Fatal(err)
		}
	}
	decoder := serializer.NewCodecFactory(known, serializer.EnableStrict).UniversalDeserializer()
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

// rules returns those of the manifest, for the whole cluster and for the namespace of the Deployment.
func rules(t *testing.T) []rbacv1.PolicyRule {
	t.Helper()
	return slices.Concat(find[*rbacv1.ClusterRole](t, "rbac.yaml").Rules, find[*rbacv1.Role](t, "rbac.yaml").Rules)
}

// The rules are enough for a whole life: election, runs, replacement, history, deletion. What is refused shows in a failed
// reconcile, or as an event that is missing. And none of them could be left out.
func TestRulesAreEnoughAndNoMore(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	used := &rights{used: make(map[string]bool)}
	config := c.asController(rules(t))
	config.Wrap(used.wrap)
	var failures atomic.Int64
	observe := func(seen controller.Observation[types.NamespacedName]) {
		if seen.Class != controller.Stale && seen.Result.Err() != nil {
			failures.Add(1)
		}
	}
	replica, stop := c.run(setup{Config: Config{Observe: observe}, client: config, life: c.elected()})
	crontab := c.create(func(spec *v1.CronTabSpec) {
		noHistory(spec)
		spec.ConcurrencyPolicy = v1.ReplaceConcurrent
	})
	for range 2 { // which become one
		replica.Events.Warning(crontab, "FailedCreate", "CreateJob", "the quota of the namespace is used up")
		c.awaitEvent("FailedCreate")
	}
	c.awaitActive(1)
	c.awaitEvent("SuccessfulDelete")
	c.awaitStatus("a run is active", func(status v1.CronTabStatus) bool { return len(status.Active) == 1 })
	c.delete(metav1.DeleteOptions{})
	c.eventually("the CronTab has gone", func() (any, bool) { crontab := c.get(); return crontab, crontab == nil })
	if err := errors.Join(replica.CronTabs.Status().LastError, replica.Jobs.Status().LastError); err != nil {
		t.Error(err)
	}
	stop()
	if failures.Load() > 0 {
		t.Errorf("%d reconciles failed", failures.Load())
	}
	if status := replica.Events.Status(); status.Sent == 0 || status.Sent != status.Recorded {
		t.Errorf("events are %+v", status)
	}
	c.startTwice(config)
	used.expectAll(t, rules(t))
}

// startTwice lets a controller find that the Job is there already which it is about to create.
func (c *cluster) startTwice(config *rest.Config) {
	c.Helper()
	crontab := c.create(func(spec *v1.CronTabSpec) { spec.Schedule = "@every 1h" })
	clock := clocktesting.NewFakeClock(crontab.CreationTimestamp.Add(time.Hour))
	stopped, closeIdle := c.newReplica(setup{Config: Config{Clock: clock}, client: config})
	defer closeIdle()
	c.follow(stopped, crontab)
	crontabs := c.stable.StableV1().CronTabs(c.namespace)
	if _, err := crontabs.Patch(c.Context(), "tab", types.MergePatchType, []byte(`{"status":null}`), metav1.PatchOptions{}, "status"); err != nil {
		c.Fatal(err)
	}
	c.follow(stopped, crontab)
	if jobs := c.jobs().active(); len(jobs) != 1 || len(c.get().Status.Active) != 1 {
		c.Errorf("Jobs are %+v, status is %+v", jobs, c.get().Status)
	}
}

// rights are those that requests have made use of, as "verb group/resource".
type rights struct {
	mu   sync.Mutex
	used map[string]bool
}

func (r *rights) wrap(next http.RoundTripper) http.RoundTripper {
	return transport{next, func(request *http.Request) (*http.Response, error) {
		r.mu.Lock()
		r.used[rightOf(request)] = true
		r.mu.Unlock()
		return next.RoundTrip(request)
	}}
}

// rightOf reads a path such as /apis/batch/v1/namespaces/default/jobs/name.
func rightOf(request *http.Request) string {
	parts := strings.Split(strings.Trim(request.URL.Path, "/"), "/")
	if len(parts) < 4 || parts[0] != "apis" {
		return request.Method + " " + request.URL.Path
	}
	group, parts := parts[1], parts[3:]
	if parts[0] == "namespaces" && len(parts) > 2 {
		parts = parts[2:]
	}
	verb := map[string]string{"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[request.Method]
	switch {
	case request.URL.Query().Has("watch"):
		verb = "watch"
	case verb == "get" && len(parts) == 1:
		verb = "list"
	}
	resource := parts[0]
	if len(parts) > 2 {
		resource += "/" + parts[2]
	}
	return verb + " " + group + "/" + resource
}

// expectAll looks for rules that nobody needs, but for two: informers list when they cannot do with a watch, and the right to
// update finalizers is looked at by an admission plugin.
func (r *rights) expectAll(t *testing.T, rules []rbacv1.PolicyRule) {
	t.Helper()
	for _, rule := range rules {
		for _, verb := range rule.Verbs {
			right := verb + " " + rule.APIGroups[0] + "/" + rule.Resources[0]
			if !r.used[right] && verb != "list" && rule.Resources[0] != "crontabs/finalizers" {
				t.Errorf("the right to %s was not needed", right)
			}
		}
	}
}

func TestRulesHaveNoWildcards(t *testing.T) {
	for _, rule := range rules(t) {
		if strings.Contains(rule.String(), "*") || len(rule.APIGroups) != 1 || len(rule.Resources) != 1 {
			t.Errorf("rule %v has a wildcard, or is about several resources", rule)
		}
	}
}

// asController returns a client configuration of a service account that has the rules in the namespace and no others.
func (c *cluster) asController(rules []rbacv1.PolicyRule) *rest.Config {
	c.Helper()
	meta := metav1.ObjectMeta{Namespace: c.namespace, Name: "crontab-controller"}
	_, errAccount := c.kube.CoreV1().ServiceAccounts(c.namespace).Create(c.Context(), &corev1.ServiceAccount{ObjectMeta: meta}, metav1.CreateOptions{})
	_, errRole := c.kube.RbacV1().Roles(c.namespace).Create(c.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{})
	_, errBinding := c.kube.RbacV1().RoleBindings(c.namespace).Create(c.Context(), &rbacv1.RoleBinding{
		ObjectMeta: meta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: meta.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: c.namespace, Name: meta.Name}},
	}, metav1.CreateOptions{})
	token, errToken := c.kube.CoreV1().ServiceAccounts(c.namespace).CreateToken(c.Context(), meta.Name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err := errors.Join(errAccount, errRole, errBinding, errToken); err != nil {
		c.Fatal(err)
	}
	for _, rule := range rules {
		c.awaitRight("system:serviceaccount:"+c.namespace+":"+meta.Name, rule)
	}
	config := rest.AnonymousClientConfig(controlplanetest.Config(c))
	config.BearerToken = token.Status.Token
	return config
}

// awaitRight waits until the API server knows that the user has a right: it learns of roles by a watch.
func (c *cluster) awaitRight(user string, rule rbacv1.PolicyRule) {
	c.Helper()
	resource, subresource, _ := strings.Cut(rule.Resources[0], "/")
	attributes := &authorizationv1.ResourceAttributes{
		Namespace: c.namespace, Verb: rule.Verbs[0], Group: rule.APIGroups[0], Resource: resource, Subresource: subresource,
	}
	if len(rule.ResourceNames) > 0 {
		attributes.Name = rule.ResourceNames[0]
	}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: attributes}}
	c.eventually("there are rights", func() (any, bool) {
		answer, err := c.kube.AuthorizationV1().SubjectAccessReviews().Create(c.Context(), review, metav1.CreateOptions{})
		if err != nil {
			return err, false
		}
		return answer.Status, answer.Status.Allowed
	})
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
