package client_test

import (
	"fmt"
	"net/http"
	"os"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
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

func ExampleOptions_AddFlags() {
	var options client.Options
	flags := pflag.NewFlagSet("controller", pflag.ContinueOnError)
	options.AddFlags(flags)
	if err := flags.Parse([]string{"--kubeconfig", "testdata/kubeconfig", "--kube-api-qps", "20"}); err != nil {
		fmt.Println(err)
		return
	}
	config, err := client.Load(options)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(config.Host, config.QPS, config.Burst)
	// Output: https://api.example.com 20 100
}

// All that a controller needs to talk to one API server, over one connection.
func ExampleNew() {
	config, err := client.Load(client.Options{Kubeconfig: "testdata/kubeconfig"})
	if err != nil {
		fmt.Println(err)
		return
	}
	clients, err := client.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer clients.CloseIdle()
	core, err := clients.REST(corev1.SchemeGroupVersion)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(core.Get().Namespace("shop").Resource("pods").URL())

	// A generated clientset is one more: versioned.NewForConfigAndClient(clients.Config(), clients.HTTPClient()).
	mine, err := kubernetes.NewForConfigAndClient(clients.Config(), clients.HTTPClient())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(mine.BatchV1().RESTClient().Get().Resource("jobs").URL())
	// Output:
	// https://api.example.com/api/v1/namespaces/shop/pods
	// https://api.example.com/apis/batch/v1/jobs
}

// The elector renews its lease with clients; everything else goes through what the lease guards.
func ExampleClients_Wrap() {
	config, err := client.Load(client.Options{Kubeconfig: "testdata/kubeconfig"})
	if err != nil {
		fmt.Println(err)
		return
	}
	clients, err := client.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	writers, err := clients.Wrap(func(next http.RoundTripper) http.RoundTripper { return readOnly{next} })
	if err != nil {
		fmt.Println(err)
		return
	}
	request, err := http.NewRequest(http.MethodDelete, "https://api.example.com/api/v1/namespaces/shop", http.NoBody)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = writers.HTTPClient().Do(request)
	fmt.Println(err)
	// Output: Delete "https://api.example.com/api/v1/namespaces/shop": permission denied
}

type readOnly struct{ next http.RoundTripper }

func (r readOnly) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodGet {
		return nil, os.ErrPermission
	}
	return r.next.RoundTrip(request)
}
