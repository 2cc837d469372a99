package client_test

import (
	"fmt"

	"k8s.io/client-go/kubernetes"

	"github.com/sluice-k8s/sluice/pkg/controller/client"
)

func ExampleLoad() {
	config, err := client.Load(client.Options{Kubeconfig: "testdata/kubeconfig", UserAgent: "my-controller/1.0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(clients.CoreV1().RESTClient().Get().Resource("pods").URL())
	// Output: https://api.example.com/api/v1/pods
}
