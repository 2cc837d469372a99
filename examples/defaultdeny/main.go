// Command defaultdeny gives every namespace labelled sluice.example.com/default-deny=yes a NetworkPolicy that denies all
// ingress, and puts it back when it is changed or deleted.
package main

import (
	"context"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/client"
	"github.com/sluice-k8s/sluice/pkg/controller/manager"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

const (
	name     = "default-deny"
	selector = "sluice.example.com/default-deny=yes"
)

func main() { manager.Main(name, run) } // runs until SIGTERM or Ctrl-C

func run(ctx context.Context) error {
	config, err := client.Load(client.Options{}) // in a cluster, else KUBECONFIG, else ~/.kube/config
	if err != nil {
		return err
	}
	clients, err := client.New(config)
	if err != nil {
		return err
	}
	namespaces := cache.NewInformer(cache.FromClient(clients.Typed.CoreV1().Namespaces()), cache.Config{
		ListOptions: func(opts *metav1.ListOptions) { opts.LabelSelector = selector },
	})
	policies := cache.NewInformer(cache.FromClient(clients.Typed.NetworkingV1().NetworkPolicies("")), cache.Config{})
	writer := write.New(clients.Typed.NetworkingV1().NetworkPolicies, policies.Indexer(), write.Config{})

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
			policy := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: key.Name, Name: name}}
			_, effect, err := writer.CreateOrUpdate(ctx, policy, denyAll) // writes nothing if the policy is as it should be
			if effect != write.Unchanged {
				klog.FromContext(ctx).Info("Wrote the policy", "effect", effect)
			}
			return controller.Retry(err) // nil is done
		},
	})
	if err != nil {
		return err
	}
	return controller.Run(ctx, namespaces, policies, denier)
}

// denyAll sets the whole of a spec that has no defaults but the one that it sets.
func denyAll(policy *networkingv1.NetworkPolicy) error {
	policy.Spec = networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}}
	return nil
}
