package client_test

import (
	"fmt"

	"k8s.io/client-go/kubernetes"

	"github.com/sluice-k8s/sluice/pkg/controller/client"
)

func ExampleLoad() {
	config, err := client.Load(client.Options{UserAgent: "my-controller/1.0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = clients.CoreV1().Pods("")
}
