package manager_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/client"
	"github.com/sluice-k8s/sluice/pkg/controller/lease"
	"github.com/sluice-k8s/sluice/pkg/controller/manager"
)

// The smallest whole program: its main function would be
//
//	func main() { manager.Main("greeter", run) }
func Example() {
	run := func(ctx context.Context) error {
		server := client.Options{UserAgent: "greeter"}
		options := manager.Options{LeaderElect: true, LeaseName: "greeter"}
		flags := pflag.NewFlagSet("greeter", pflag.ContinueOnError)
		server.AddFlags(flags)
		options.AddFlags(flags)
		if err := flags.Parse(os.Args[1:]); err != nil {
			return err
		}
		clients, elector, err := options.Connect(server) // the clients write only while this process leads
		if err != nil {
			return err
		}
		configMaps := cache.NewInformer(cache.FromClient(clients.Typed.CoreV1().ConfigMaps("")), cache.Config{})
		greeter, err := controller.New(controller.Config[types.NamespacedName]{
			Name:    "greeter",
			Sources: []controller.Source[types.NamespacedName]{controller.For(configMaps)},
			Reconcile: func(_ context.Context, key types.NamespacedName) controller.Result {
				fmt.Println("hello", key)
				return controller.Done()
			},
		})
		if err != nil {
			return err
		}
		m, err := manager.New(manager.Config{
			Name:          "greeter",
			Informers:     []controller.Runner{configMaps},
			Controllers:   []controller.Runner{greeter},
			Election:      elector,
			HealthAddress: options.HealthAddress,
		})
		if err != nil {
			return err
		}
		return m.Run(ctx)
	}
	_ = run
	// Output:
}

// The life of a program with an election, up to the exit code.
func ExampleManager() {
	clients := fake.NewClientset(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "world"}})
	ctx, stop := context.WithCancelCause(context.Background())
	configMaps := cache.NewInformer(cache.FromClient(clients.CoreV1().ConfigMaps("")), cache.Config{})
	greeter, err := controller.New(controller.Config[types.NamespacedName]{
		Name:    "greeter",
		Sources: []controller.Source[types.NamespacedName]{controller.For(configMaps)},
		Reconcile: func(_ context.Context, key types.NamespacedName) controller.Result {
			fmt.Println("hello", key)
			stop(errors.New("everybody was greeted")) // in a program SIGTERM does it
			return controller.Done()
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	elector, err := lease.New(lease.Config{Client: clients.CoordinationV1().Leases("default"), Name: "greeter"})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := manager.New(manager.Config{
		Name:        "greeter",
		Informers:   []controller.Runner{configMaps},
		Controllers: []controller.Runner{greeter},
		Election:    elector,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("before:", m.Ready())
	err = m.Run(ctx)
	fmt.Println("after:", err, "exit code", manager.Code(ctx, err))
	fmt.Printf("holder: %q\n", elector.Status().Holder)
	// Output:
	// before: not started
	// not synced yet
	// hello default/world
	// after: <nil> exit code 0
	// holder: ""
}
