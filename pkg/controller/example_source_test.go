package controller_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
)

// runUntilFirst runs a controller with a source, and what that needs, until it has reconciled a key, which it prints.
func runUntilFirst(source controller.Source[types.NamespacedName], runners ...controller.Runner) {
	ctx, stop := context.WithCancel(context.Background())
	var first sync.Once
	c, err := controller.New(controller.Config[types.NamespacedName]{
		Name:    "example",
		Sources: []controller.Source[types.NamespacedName]{source},
		Reconcile: func(_ context.Context, key types.NamespacedName) controller.Result {
			first.Do(func() { fmt.Println("reconcile", key) })
			stop()
			return controller.Done()
		},
	})
	if err == nil {
		err = controller.Run(ctx, append(runners, c)...)
	}
	if err != nil {
		fmt.Println(err)
	}
}

// A controller that writes the status of its objects need not look at them again when only that has changed.
func ExampleFor() {
	clients := fake.NewClientset(&batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "nightly"}})
	cronJobs := cache.NewInformer(cache.FromClient(clients.BatchV1().CronJobs("")), cache.Config{})
	runUntilFirst(controller.For(cronJobs, controller.GenerationChanged), cronJobs)
	// Output: reconcile default/nightly
}

// A change of a Job leads to the CronJob that controls it.
func ExampleOwns() {
	parent := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "nightly", UID: "1"}}
	clients := fake.NewClientset(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Namespace: "default", Name: "nightly-29543210",
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(parent, batchv1.SchemeGroupVersion.WithKind("CronJob"))},
	}})
	jobs := cache.NewInformer(cache.FromClient(clients.BatchV1().Jobs("")), cache.Config{})
	runUntilFirst(controller.Owns(jobs, controller.Owner{Group: batchv1.GroupName, Kind: "CronJob"}), jobs)
	// Output: reconcile default/nightly
}

// A change of a Secret leads to the Pods that it is for, the one before the change, and the one after.
func ExampleWatches() {
	const user = "example.com/used-by"
	clients := fake.NewClientset(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: "default", Name: "password", Annotations: map[string]string{user: "web-0"},
	}})
	secrets := cache.NewInformer(cache.FromClient(clients.CoreV1().Secrets("")), cache.Config{})
	usedBy := func(event cache.Event[*corev1.Secret], add func(types.NamespacedName)) {
		add(types.NamespacedName{Namespace: event.Key.Namespace, Name: event.Object.Annotations[user]})
		if event.Type == cache.Updated {
			add(types.NamespacedName{Namespace: event.Key.Namespace, Name: event.Old.Annotations[user]})
		}
	}
	runUntilFirst(controller.Watches(secrets, usedBy, controller.AnnotationsChanged), secrets)
	// Output: reconcile default/web-0
}

// A web hook of a registry, for instance, says that there is a new image.
func ExampleChannel() {
	keys := make(chan types.NamespacedName, 1)
	keys <- types.NamespacedName{Namespace: "default", Name: "web"}
	runUntilFirst(controller.Channel("registry", keys))
	// Output: reconcile default/web
}

// What has no watch is asked from time to time; here all keys of a list, which could be those of an index.
func ExampleEvery() {
	known := []types.NamespacedName{{Namespace: "default", Name: "dns-record"}}
	keys := func(context.Context) iter.Seq[types.NamespacedName] { return slices.Values(known) }
	runUntilFirst(controller.Every("dns", time.Millisecond, keys))
	// Output: reconcile default/dns-record
}

func ExampleResult() {
	err := errors.New("the DNS provider is down")
	for _, result := range []controller.Result{
		controller.Done(),                           // until something changes
		controller.RequeueAfter(time.Hour),          // or when the certificate is to be renewed
		controller.Retry(err),                       // with back-off
		controller.RetryAfter(10*time.Minute, err),  // the provider has said when
		controller.Park(errors.New("no such zone")), // until the object or the zone changes
	} {
		fmt.Println(result)
	}
	// Output:
	// done
	// requeue after 1h0m0s
	// retry: the DNS provider is down
	// retry after 10m0s: the DNS provider is down
	// park: no such zone
}

func ExampleClassify() {
	pods := schema.GroupResource{Resource: "pods"}
	for _, err := range []error{
		apierrors.NewConflict(pods, "web-0", errors.New("it has changed")),
		fmt.Errorf("scale up: %w", apierrors.NewTooManyRequests("slow down", 1)),
		apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "web-0", nil),
		apierrors.NewForbidden(pods, "web-0", errors.New("no rights")), // which somebody may give
	} {
		fmt.Println(controller.Classify(err))
	}
	// Output:
	// stale
	// refused
	// terminal
	// failure
}
