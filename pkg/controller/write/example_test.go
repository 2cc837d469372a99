package write_test

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

// A reconcile that keeps a Deployment for each ConfigMap. It says what it wants of each object, and returns the errors as
// they are; what others write meanwhile, and a cache that is behind, are the writer's business.
func Example() {
	wish := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}, Data: map[string]string{"image": "web:1"}}
	clients := fake.NewClientset(wish)
	configMaps := cache.NewInformer(cache.FromClient(clients.CoreV1().ConfigMaps("")), cache.Config{})
	deployments := cache.NewInformer(cache.FromClient(clients.AppsV1().Deployments("")), cache.Config{})
	w := write.New(clients.AppsV1().Deployments, deployments.Indexer(), write.Config{FieldManager: "example"})

	ctx, stop := context.WithCancel(context.Background())
	c, err := controller.New(controller.Config[types.NamespacedName]{
		Name:    "web",
		Sources: []controller.Source[types.NamespacedName]{controller.For(configMaps)},
		Reconcile: func(ctx context.Context, key types.NamespacedName) controller.Result {
			wish, ok := configMaps.Indexer().Get(key)
			if !ok {
				return controller.Done()
			}
			deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
			deployment, effect, err := w.CreateOrUpdate(ctx, deployment, func(d *appsv1.Deployment) error {
				d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "main", Image: wish.Data["image"]}}
				return nil
			})
			if err != nil {
				return controller.Retry(err)
			}
			fmt.Println("the Deployment", deployment.Name, "is", effect)
			stop() // the example is over
			return controller.Done()
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("stopped:", controller.Run(ctx, configMaps, deployments, c))
	// Output:
	// the Deployment web is created
	// stopped: <nil>
}

func ExampleWriter_ChangeStatus() {
	job := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}}
	clients := fake.NewClientset(job)
	w := write.New(clients.AppsV1().Deployments, nil, write.Config{})
	for range 2 {
		_, effect, err := w.ChangeStatus(context.Background(), job, func(d *appsv1.Deployment) error {
			d.Status.ObservedGeneration = 3
			return nil
		})
		fmt.Println(effect, err)
	}
	// Output:
	// updated <nil>
	// unchanged <nil>
}

func ExampleJSON() {
	obj := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a"}, Data: map[string]string{"turn": "mine"}}
	w := write.New(fake.NewClientset(obj).CoreV1().ConfigMaps, nil, write.Config{})
	path := write.Path("data", "turn")
	obj, effect, err := w.Patch(context.Background(), obj, write.JSON(write.TestOp(path, "mine"), write.ReplaceOp(path, "yours")))
	fmt.Println(obj.Data["turn"], effect, err)
	// Output: yours updated <nil>
}
