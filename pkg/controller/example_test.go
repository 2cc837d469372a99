package controller_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/owner"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

// A whole controller: each ConfigMap that is labelled so gets a Secret of its own, which is put back when somebody changes or
// deletes it, and goes with the ConfigMap. A program gets its clients from package client and runs the rest by package manager.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	clients := fake.NewClientset(labelled("db"))
	err := runSecrets(ctx, clients, func(key types.NamespacedName, effect write.Effect) {
		fmt.Println("the Secret of", key, "is", effect)
		stop() // the example is over
	})
	fmt.Println("stopped:", err)
	// Output:
	// the Secret of default/db is created
	// stopped: <nil>
}

func runSecrets(ctx context.Context, clients kubernetes.Interface, written func(types.NamespacedName, write.Effect)) error {
	configMaps := cache.NewInformer(cache.FromClient(clients.CoreV1().ConfigMaps("")), cache.Config{
		ListOptions: func(options *metav1.ListOptions) { options.LabelSelector = "secret=please" },
	})
	secrets := cache.NewInformer(cache.FromClient(clients.CoreV1().Secrets("")), cache.Config{})
	writer := write.New(clients.CoreV1().Secrets, secrets.Indexer(), write.Config{FieldManager: "secrets"})

	c, err := controller.New(controller.Config[types.NamespacedName]{
		Name: "secrets",
		Sources: []controller.Source[types.NamespacedName]{
			controller.For(configMaps),
			controller.Owns(secrets, controller.Owner{Kind: "ConfigMap"}),
		},
		Reconcile: func(ctx context.Context, key types.NamespacedName) controller.Result {
			configMap, ok := configMaps.Indexer().Get(key)
			if !ok {
				return controller.Done()
			}
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
			_, effect, err := writer.CreateOrUpdate(ctx, secret, func(secret *corev1.Secret) error {
				secret.Data = map[string][]byte{"user": []byte(configMap.Data["user"])}
				return owner.Set(secret, configMap, corev1.SchemeGroupVersion.WithKind("ConfigMap"))
			})
			if effect != write.Unchanged {
				written(key, effect)
			}
			return controller.Retry(err) // nil is done
		},
	})
	if err != nil {
		return err
	}
	return controller.Run(ctx, configMaps, secrets, c)
}

func labelled(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: "1", Labels: map[string]string{"secret": "please"}},
		Data:       map[string]string{"user": "admin"},
	}
}
