// Package client finds the API server that a controller talks to, and makes the clients.
//
//	var options client.Options
//	options.AddFlags(pflag.CommandLine) // --kubeconfig, --context, --kube-api-qps, ...
//	pflag.Parse()
//	config, err := client.Load(options)
//	clients, err := client.New(config)
//
// Guarantees:
//
//   - One order: [Load] looks where users of kubectl and of in-cluster controllers expect, and what is there but wrong is an
//     error that names it.
//   - One transport: all clients of [Clients] share their connections, and so do those that [Clients.Wrap] makes and
//     generated clientsets made of [Clients.Config] and [Clients.HTTPClient].
//   - No request hangs: each has a time-out, [Options.Timeout], except for those that are meant to last. These end when
//     their connection does not answer pings. Both say which it was.
//   - What the server warns of is logged once and counted: [Warnings], in bounded memory.
//   - Throttling is seen: client-go waits and tries again when the server asks for patience; a controller whose reconcile
//     made the request is told all the same, and takes fewer workers.
//   - A kind that the server gets later is found: at once after [Clients.Invalidate], else within 5 s of being asked for.
//
// Over HTTP/2, client-go tests a connection that is silent for 30 s by a ping, and gives it up after another 15 s, so a watch
// whose peer is gone ends after 45 s: see configureHTTP2Transport in k8s.io/apimachinery/pkg/util/net/http.go, which takes
// other values from the environment of the process, and none at all if DISABLE_HTTP2 is set. [Options.PingInterval] sets
// them for one API server.
//
// The informers of package cache read bytes, so their clients know no types. They are one more of the same transport:
//
//	raw, err := rest.RESTClientForConfigAndClient(cache.ConfigFor(clients.Config(), version), clients.HTTPClient())
package client
