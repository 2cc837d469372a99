package main

import (
	"context"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
)

// newKubelet returns what stands in for nodes in a control plane that has none: Pods succeed after as many seconds as
// their command "sleep N" says. Nothing runs. It is a controller too.
func newKubelet(kube kubernetes.Interface, namespace string) (pods, kubelet controller.Runner, err error) {
	client := kube.CoreV1().Pods(namespace)
	informer := cache.NewInformer(cache.FromClient(client), cache.Config{})
	kubelet, err = controller.New(controller.Config[types.NamespacedName]{
		Name:    "kubelet",
		Sources: []controller.Source[types.NamespacedName]{controller.For(informer)},
		Reconcile: func(ctx context.Context, key types.NamespacedName) controller.Result {
			pod, ok := informer.Indexer().Get(key)
			if !ok || pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodSucceeded {
				return controller.Done()
			}
			if left := time.Until(pod.CreationTimestamp.Add(duration(pod))); left > 0 {
				return controller.RequeueAfter(left)
			}
			status := []byte(`{"status":{"phase":"Succeeded"}}`)
			_, err := client.Patch(ctx, key.Name, types.MergePatchType, status, metav1.PatchOptions{}, "status")
			if apierrors.IsNotFound(err) {
				return controller.Done() // deleted meanwhile
			}
			return controller.Retry(err)
		},
	})
	return informer, kubelet, err
}

func duration(pod *corev1.Pod) time.Duration {
	command := pod.Spec.Containers[0].Command
	if len(command) != 2 || command[0] != "sleep" {
		return 0
	}
	seconds, err := strconv.Atoi(command[1])
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
