package controller_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
)

// A whole controller: it keeps a Secret beside each ConfigMap that asks for one. In a program the context ends with
// SIGTERM and the client comes from a config that package client finds.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	wish := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db", Labels: map[string]string{"secret": "please"}}}
	clients := fake.NewClientset(wish)

	configMaps := cache.NewInformer(cache.FromClient(clients.CoreV1().ConfigMaps("")), cache.Config{})
	c, err := controller.New(controller.Config[types.NamespacedName]{
		Name:    "secrets",
		Sources: []controller.Source[types.NamespacedName]{controller.For(configMaps)},
		Reconcile: func(ctx context.Context, key types.NamespacedName) controller.Result {
			wish, ok := configMaps.Indexer().Get(key)
			if !ok || wish.Labels["secret"] != "please" {
				return controller.Done()
			}
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
			_, err := clients.CoreV1().Secrets(key.Namespace).Create(ctx, secret, metav1.CreateOptions{})
			if err != nil && !apierrors.IsAlreadyExists(err) {
				return controller.Retry(err)
			}
			fmt.Println("there is a secret for", key)
			stop() // the example is over
			return controller.Done()
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("stopped:", controller.Run(ctx, configMaps, c))
	// Output:
	// there is a secret for default/db
	// stopped: <nil>
}
