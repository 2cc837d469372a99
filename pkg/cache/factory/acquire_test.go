package factory_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/factory"
)

func keep(pod *corev1.Pod) (*corev1.Pod, error) { return pod, nil }

// An asking is what somebody asks for.
type asking struct {
	cluster    string
	options    factory.Options
	transforms []cache.Transform[*corev1.Pod]
}

func TestWhoSharesWithWhom(t *testing.T) {
	tweak := func(*metav1.ListOptions) {}
	scope, other := newScope(t, "tenants", "a"), newScope(t, "tenants", "a")
	lean := factory.Options{Variant: "lean"}
	transforms := []cache.Transform[*corev1.Pod]{keep}
	tests := map[string]struct {
		a, b     asking
		shared   bool
		conflict string // what the error says, if there is one
	}{
		"alike":                     {shared: true},
		"another cluster":           {b: asking{cluster: "west"}},
		"a namespace":               {b: asking{options: factory.Options{Namespaces: []string{"a"}}}},
		"namespaces in other order": {asking{options: factory.Options{Namespaces: []string{"a", "b"}}}, asking{options: factory.Options{Namespaces: []string{"b", "a", "b"}}}, true, ""},
		"a resource":                {b: asking{options: factory.Options{Resource: "pods"}}},
		"a label selector":          {b: asking{options: factory.Options{LabelSelector: "app=web"}}},
		"labels in other order":     {asking{options: factory.Options{LabelSelector: "a=1,b in (2,3)"}}, asking{options: factory.Options{LabelSelector: "b in (3,2), a==1"}}, false, ""},
		"labels spelt otherwise":    {asking{options: factory.Options{LabelSelector: "a=1,b in (2,3)"}}, asking{options: factory.Options{LabelSelector: "b in (3,2), a=1"}}, true, ""},
		"a field selector":          {b: asking{options: factory.Options{FieldSelector: "spec.nodeName=n"}}},
		"fields in other order":     {asking{options: factory.Options{FieldSelector: "a=1,b!=2"}}, asking{options: factory.Options{FieldSelector: "b!=2,a==1"}}, true, ""},
		"fields are not labels":     {asking{options: factory.Options{LabelSelector: "a=1"}}, asking{options: factory.Options{FieldSelector: "a=1"}}, false, ""},
		"a variant":                 {b: asking{options: lean, transforms: transforms}},
		"the same variant":          {asking{options: lean, transforms: transforms}, asking{options: lean, transforms: transforms}, true, ""},
		"the same scope":            {asking{options: factory.Options{Scope: scope}}, asking{options: factory.Options{Scope: scope}}, true, ""},
		"a scope is no list":        {asking{options: factory.Options{Scope: scope}}, asking{options: factory.Options{Namespaces: []string{"a"}}}, false, ""},
		"a variant of two meanings": {asking{options: lean, transforms: transforms}, asking{options: lean}, false, "it has 1 transforms, not 0"},
		"one with list options":     {asking{options: lean}, asking{options: factory.Options{Variant: "lean", ListOptions: tweak}}, false, "Options.ListOptions"},
		"two scopes of one name":    {asking{options: factory.Options{Scope: scope}}, asking{options: factory.Options{Scope: other}}, false, "Options.Scope"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f, s := factory.New(factory.Config{}), newServer()
			a := acquire(t, f.Cluster(test.a.cluster), s, test.a.options, test.a.transforms...)
			b, err := factory.Acquire(f.Cluster(test.b.cluster), s.open, test.b.options, test.b.transforms...)
			if test.conflict != "" {
				wantError(t, err, factory.ErrConflict, test.conflict)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := a.Informer == b.Informer; got != test.shared {
				t.Errorf("they share an informer: %v, want %v", got, test.shared)
			}
		})
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	tests := map[string]struct {
		options factory.Options
		says    string
	}{
		"an empty namespace":          {factory.Options{Namespaces: []string{"a", ""}}, "Options.Namespaces[1]"},
		"no namespace":                {factory.Options{Namespaces: []string{"a,b"}}, `Options.Namespaces[0] "a,b"`},
		"no label selector":           {factory.Options{LabelSelector: "a in (b"}, `Options.LabelSelector "a in (b"`},
		"no field selector":           {factory.Options{FieldSelector: "a"}, `Options.FieldSelector "a"`},
		"namespaces and scope":        {factory.Options{Namespaces: []string{"a"}, Scope: newScope(t, "s")}, "Options.Scope"},
		"list options, no variant":    {factory.Options{ListOptions: func(*metav1.ListOptions) {}}, "Options.Variant"},
		"several things are all told": {factory.Options{FieldSelector: "a", LabelSelector: "="}, "Options.FieldSelector"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := factory.New(factory.Config{})
			lease, err := factory.Acquire(f.Cluster("east"), newServer().open, test.options)
			if err == nil || !strings.Contains(err.Error(), test.says) || lease != nil {
				t.Errorf("it returned %v, %v, want an error that says %q", lease, err, test.says)
			}
			if got := identities(f); len(got) > 0 {
				t.Errorf("there are informers: %v", got)
			}
		})
	}
	f := factory.New(factory.Config{})
	if _, err := factory.Acquire(f.Cluster(""), newServer().open, factory.Options{}, keep); !strings.Contains(err.Error(), "Options.Variant") {
		t.Errorf("a transform without a variant gave %v", err)
	}
	source := newServer().open("")
	if _, err := factory.AcquireSource(f.Cluster(""), source, factory.Options{Namespaces: []string{"a"}}); err == nil {
		t.Error("one source was taken for several namespaces")
	}
	if _, err := factory.NewScope(""); err == nil {
		t.Error("a scope has no name")
	}
	if _, err := factory.NewScope("s", ""); err == nil {
		t.Error("a scope has an empty namespace")
	}
}

// anything is a source of a type that says nothing of the resource.
type anything[T cache.Object] struct{ cache.ListerWatcher[T] }

func TestTypesThatMayBeAnything(t *testing.T) {
	f := factory.New(factory.Config{})
	c := f.Cluster("")
	if _, err := factory.AcquireSource(c, anything[*unstructured.Unstructured]{}, factory.Options{}); err == nil ||
		!strings.Contains(err.Error(), "Options.Resource") {
		t.Errorf("without a resource it returned %v", err)
	}
	for _, resource := range []string{"crontabs", "databases"} {
		if _, err := factory.AcquireSource(c, anything[*unstructured.Unstructured]{}, factory.Options{Resource: resource}); err != nil {
			t.Error(err)
		}
	}
	_, err := factory.AcquireSource(c, anything[*metav1.PartialObjectMetadata]{}, factory.Options{Resource: "crontabs"})
	wantError(t, err, factory.ErrConflict, "crontabs", "another type")
	_, err = factory.AcquireSource(c, anything[*metav1.PartialObjectMetadata]{}, factory.Options{Resource: "crontabs", Variant: "metadata"})
	wantNone(t, err)
	if got, want := identities(f), []string{"crontabs", "crontabs, variant metadata", "databases"}; !slices.Equal(got, want) {
		t.Errorf("there are %q, want %q", got, want)
	}
}

// A placed source says of which namespace it is.
type placed struct{ podSource }

func (p placed) Namespace() string { return p.namespace }

func TestSourcesThatSayTheirNamespace(t *testing.T) {
	f, s := factory.New(factory.Config{}), newServer()
	var leases []podLease
	for _, namespace := range []string{"a", "b", "a"} {
		lease, err := factory.AcquireSource(f.Cluster(""), placed{podSource{s, namespace}}, factory.Options{})
		if err != nil {
			t.Fatal(err)
		}
		leases = append(leases, lease)
	}
	same := acquire(t, f.Cluster(""), s, factory.Options{Namespaces: []string{"b"}})
	if leases[0].Informer != leases[2].Informer || leases[0].Informer == leases[1].Informer || leases[1].Informer != same.Informer {
		t.Error("they do not share by namespace")
	}
}

func TestIdentityIsTheName(t *testing.T) {
	f := factory.New(factory.Config{})
	lease := acquire(t, f.Cluster("east"), newServer(), factory.Options{
		Namespaces: []string{"b", "a"}, LabelSelector: "app=web", FieldSelector: "spec.nodeName=n", Variant: "lean",
	})
	const want = "east/core/v1.Pod, namespaces a,b, labels app=web, fields spec.nodeName=n, variant lean"
	if got := lease.Identity().String(); got != want || lease.Name() != want {
		t.Errorf("it is called %q and %q, want %q", got, lease.Name(), want)
	}
}

func TestWhatServersAreAsked(t *testing.T) {
	config := patient()
	config.Informer.ListOptions = func(opts *metav1.ListOptions) { opts.LabelSelector = "shard=1" }
	synctest.Test(t, func(t *testing.T) {
		f, stop := begin(t, config)
		defer stop()
		s := newServer()
		acquire(t, f.Cluster(""), s, factory.Options{
			LabelSelector: "app=web", FieldSelector: "a=1", Variant: "v",
			ListOptions: func(opts *metav1.ListOptions) { opts.FieldSelector = "b=2" },
		})
		synctest.Wait()
		got := s.asked()[0]
		if got.LabelSelector != "shard=1,app=web" || got.FieldSelector != "b=2,a=1" {
			t.Errorf("the server was asked for labels %q and fields %q", got.LabelSelector, got.FieldSelector)
		}
	})
}

func TestConfigOfAll(t *testing.T) {
	config := patient()
	config.Informer.PageSize = 7
	config.Informer.Name = "unused"
	seen := map[string]*cache.Server{}
	config.Customize = func(id factory.Identity, config *cache.Config) {
		if config.PageSize != 7 || config.Name != id.String() {
			t.Errorf("the configuration of %v begins with page size %d and name %q", id, config.PageSize, config.Name)
		}
		seen[id.String()] = config.Server
		if id.Variant == "big" {
			config.PageSize = 9
		}
	}
	failed := errors.New("it has no name")
	config.Transform = func(obj metav1.Object) error {
		if obj.GetNamespace() == "bad" {
			return failed
		}
		obj.SetLabels(map[string]string{"common": "yes"})
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		f, stop := begin(t, config)
		defer stop()
		small, big := newServer(), newServer()
		acquire(t, f.Cluster("east"), small, factory.Options{Namespaces: []string{"bad"}})
		lease := acquire(t, f.Cluster("east"), big, factory.Options{Namespaces: []string{"a"}, Variant: "big"},
			func(pod *corev1.Pod) (*corev1.Pod, error) {
				pod.Labels["own"] = pod.Labels["common"]
				return pod, nil
			})
		acquire(t, f.Cluster("west"), newServer(), factory.Options{})
		wantNone(t, f.WaitForSync(t.Context()))
		if a, b := small.asked()[0].Limit, big.asked()[0].Limit; a != 7 || b != 9 {
			t.Errorf("the page sizes are %d and %d, want 7 and 9", a, b)
		}
		if web, ok := lease.Indexer().Get(types.NamespacedName{Namespace: "a", Name: "web"}); !ok || web.Labels["own"] != "yes" {
			t.Errorf("the transforms made %v", web)
		}
		if got := f.Statuses()[1].Reading.Quarantined; got != 1 {
			t.Errorf("%d objects are in quarantine, want 1", got)
		}
	})
	servers := map[*cache.Server]int{}
	for _, server := range seen {
		servers[server]++
	}
	if len(servers) != 2 || servers[nil] != 0 {
		t.Errorf("three informers of two clusters know %d servers", len(servers))
	}
}

// The compiler finds the type of all that opens or is a source.
func TestInference(t *testing.T) {
	clients := fake.NewClientset()
	f := factory.New(factory.Config{})
	node, err := factory.AcquireSource(f.Cluster(""), cache.FromClient(clients.CoreV1().Nodes()), factory.Options{})
	wantNone(t, err)
	_, ok := node.Indexer().Get(types.NamespacedName{Name: "n"})
	if ok {
		t.Error("there is a node")
	}
	rest := cache.FromREST[*corev1.Pod](clients.CoreV1().RESTClient(), "pods", cache.RESTOptions{})
	var leases [3]podLease
	var errs [3]error
	leases[0], errs[0] = factory.Acquire(f.Cluster(""), cache.FromClients(clients.CoreV1().Pods), factory.Options{})
	leases[1], errs[1] = factory.Acquire(f.Cluster(""), rest.In, factory.Options{})
	leases[2], errs[2] = factory.AcquireSource(f.Cluster(""), cache.FromClient(clients.CoreV1().Pods("")), factory.Options{})
	wantNone(t, errors.Join(errs[:]...))
	if leases[0].Informer != leases[1].Informer || leases[1].Informer != leases[2].Informer {
		t.Error("three ways to the same pods don't share them")
	}
	for namespace, source := range map[string]cache.ListerWatcher[*corev1.Pod]{
		"a": cache.FromClient(clients.CoreV1().Pods("a")), "b": rest.In("b"),
	} {
		lease, err := factory.AcquireSource(f.Cluster(""), source, factory.Options{})
		wantNone(t, err)
		if got := lease.Identity().Namespaces; got != namespace {
			t.Errorf("the source of namespace %q is taken for one of %q", namespace, got)
		}
	}
}
