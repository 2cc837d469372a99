// Command defaultdeny gives every namespace labelled sluice.example.com/default-deny=yes a NetworkPolicy that denies all
// ingress, and puts it back when it is deleted.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/client"
)

const (
	name     = "default-deny"
	selector = "sluice.example.com/default-deny=yes"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)                 // a second Ctrl-C ends the program at once
	config, err := client.Load(client.Options{}) // in a cluster, else KUBECONFIG, else ~/.kube/config
	if err == nil {
		err = run(ctx, config)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, config *rest.Config) error {
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	namespaces := cache.NewInformer(cache.FromClient(clients.CoreV1().Namespaces()), cache.Config{
		ListOptions: func(opts *metav1.ListOptions) { opts.LabelSelector = selector },
	})
	policies := cache.NewInformer(cache.FromClient(clients.NetworkingV1().NetworkPolicies("")), cache.Config{})

	denier, err := controller.New(controller.Config[types.NamespacedName]{
		Name: name,
		Sources: []controller.Source[types.NamespacedName]{
			controller.For(namespaces),
			controller.Watches(policies, func(event cache.Event[*networkingv1.NetworkPolicy], add func(types.NamespacedName)) {
				add(types.NamespacedName{Name: event.Key.Namespace})
			}),
		},
		Reconcile: func(ctx context.Context, key types.NamespacedName) controller.Result {
			namespace, ok := namespaces.Indexer().Get(key)
			if !ok || namespace.DeletionTimestamp != nil {
				return controller.Done()
			}
			if _, ok := policies.Indexer().Get(types.NamespacedName{Namespace: key.Name, Name: name}); ok {
				return controller.Done()
			}
			_, err := clients.NetworkingV1().NetworkPolicies(key.Name).Create(ctx, denyAll(), metav1.CreateOptions{})
			if err == nil {
				klog.FromContext(ctx).Info("Created the policy")
			}
			if apierrors.IsAlreadyExists(err) {
				err = nil // the cache will hear of it
			}
			return controller.Retry(err) // nil is done
		},
	})
	if err != nil {
		return err
	}
	return controller.Run(ctx, namespaces, policies, denier)
}

func denyAll() *networkingv1.NetworkPolicy {
	return &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}},
	}
}
