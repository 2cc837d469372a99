package integration_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/hack/controlplane"
	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
)

type (
	configMap = *corev1.ConfigMap
	cronTab   = *stablev1.CronTab
	key       = types.NamespacedName
)

const manifest = "../../generated/crds/stable.example.com_crontabs.yaml"

// A world is the control plane that the tests share, a namespace of the test, and the administrator's hand in it. CronTabs
// are what is wished there.
type world struct {
	clients

	t         *testing.T
	plane     *controlplane.ControlPlane
	config    *rest.Config
	namespace string
	logged    int64 // bytes in the audit log before the test
}

func newWorld(t *testing.T) world {
	t.Helper()
	plane, config := controlplanetest.Plane(t), controlplanetest.Config(t)
	controlplanetest.InstallCRD(t, manifest)
	log, err := os.Stat(plane.AuditLog())
	if err != nil {
		t.Fatal(err)
	}
	w := world{newClients(t, config), t, plane, config, "", log.Size()}
	w.namespace = w.newNamespace()
	return w
}

// clients are those of the two kinds that the scenes are about.
type clients struct {
	core kubernetes.Interface
	cron versioned.Interface
}

// newClients leave no connection behind.
func newClients(t *testing.T, config *rest.Config) clients {
	t.Helper()
	httpClient := controlplanetest.HTTPClient(t, config)
	core, err := kubernetes.NewForConfigAndClient(config, httpClient)
	if err != nil {
		t.Fatal(err)
	}
	cron, err := versioned.NewForConfigAndClient(config, httpClient)
	if err != nil {
		t.Fatal(err)
	}
	return clients{core, cron}
}

func (w world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// newNamespace returns the name of a namespace that nobody else uses. The controller manager may not have made anything in it
// yet.
func (w world) newNamespace() string {
	w.t.Helper()
	namespaces := w.core.CoreV1().Namespaces()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "controller-"}}
	namespace, err := namespaces.Create(w.t.Context(), namespace, metav1.CreateOptions{})
	w.must(err)
	w.t.Cleanup(func() {
		if err := namespaces.Delete(context.Background(), namespace.Name, metav1.DeleteOptions{}); err != nil {
			w.t.Error(err)
		}
	})
	return namespace.Name
}

// names returns n names.
func names(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("tab-%d", i)
	}
	return all
}

// wish creates CronTabs.
func (w world) wish(image string, names ...string) {
	w.t.Helper()
	for _, name := range names {
		tab := &stablev1.CronTab{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec:       stablev1.CronTabSpec{Schedule: "@hourly", Image: image},
		}
		_, err := w.cron.StableV1().CronTabs(w.namespace).Create(w.t.Context(), tab, metav1.CreateOptions{})
		w.must(err)
	}
}

// page creates a ConfigMap that is nobody's.
func (w world) page(name string) {
	w.t.Helper()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
	_, err := w.core.CoreV1().ConfigMaps(w.namespace).Create(w.t.Context(), object, metav1.CreateOptions{})
	w.must(err)
}

// change gives CronTabs another image.
func (w world) change(image string, names ...string) {
	w.t.Helper()
	w.patch(fmt.Sprintf(`{"spec":{"image":%q}}`, image), names...)
}

func (w world) patch(patch string, names ...string) {
	w.t.Helper()
	tabs := w.cron.StableV1().CronTabs(w.namespace)
	for _, name := range names {
		_, err := tabs.Patch(w.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		w.must(err)
	}
}

// kept lists the ConfigMaps that are kept for CronTabs: images by name, in each how many.
func (w world) kept(ctx context.Context) (map[string][]string, error) {
	list, err := w.core.CoreV1().ConfigMaps(w.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	all := make(map[string][]string)
	for _, object := range list.Items {
		if tab := metav1.GetControllerOf(&object); tab != nil {
			all[tab.Name] = append(all[tab.Name], object.Data["image"])
		}
	}
	return all, nil
}

// converges waits until each of the CronTabs has just one ConfigMap, with the image.
func (w world) converges(image string, names ...string) {
	w.t.Helper()
	want := make(map[string]string)
	for _, name := range names {
		want[name] = fmt.Sprint([]string{image})
	}
	controlplanetest.Await(w.t, func(ctx context.Context) error {
		kept, err := w.kept(ctx)
		if err != nil {
			return err
		}
		got := make(map[string]string)
		for name, images := range kept {
			got[name] = fmt.Sprint(images)
		}
		if !maps.Equal(got, want) {
			return fmt.Errorf("kept are %v, want %v", got, want)
		}
		return nil
	})
}
