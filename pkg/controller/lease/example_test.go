package lease_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-k8s/sluice/pkg/controller/lease"
)

// A program writes while it leads, and only then. Its real transport comes from rest.Config.Wrap; see the package documentation.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	clients := fake.NewClientset()
	elector, err := lease.New(lease.Config{
		Client:   clients.CoordinationV1().Leases("default"),
		Name:     "my-controller",
		Identity: "pod-1", // for the output; leave it empty
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: elector.Fence().Wrap(server.Client().Transport)}
	write := func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodDelete, server.URL, http.NoBody)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}

	ctx := context.Background()
	fmt.Println("before:", errors.Is(write(ctx), lease.ErrNotLeader))
	err = elector.Run(ctx, func(ctx context.Context) error {
		fmt.Println("leader:", elector.Status().Holder, write(ctx))
		return nil
	})
	fmt.Println("after:", err, errors.Is(write(ctx), lease.ErrNotLeader), elector.Status().Refused)
	// Output:
	// before: true
	// leader: pod-1 <nil>
	// after: <nil> true 2
}
