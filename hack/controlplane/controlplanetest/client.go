package controlplanetest

import (
	"net/http"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// HTTPClient returns a client that leaves no connection behind when its test
// ends.
func HTTPClient(tb testing.TB, config *rest.Config) *http.Client {
	tb.Helper()
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.CloseIdleConnections)
	return client
}

// Clientset returns clients of the built-in types, on an HTTPClient.
func Clientset(tb testing.TB, config *rest.Config) *kubernetes.Clientset {
	tb.Helper()
	clients, err := kubernetes.NewForConfigAndClient(config, HTTPClient(tb, config))
	if err != nil {
		tb.Fatal(err)
	}
	return clients
}
