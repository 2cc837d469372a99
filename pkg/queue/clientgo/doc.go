// Package clientgo joins package queue to client-go's workqueue.
//
// A [queue.Queue] is a workqueue.TypedRateLimitingInterface: hand it to a controller that was written for client-go and
// nothing else changes, except that an add of a key that waits for its retry is that retry, where client-go runs the key
// again when the wait is over. What needs client-go's own types is here, so that package queue needs no Kubernetes: [Metrics]
// tells a workqueue.MetricsProvider, for instance that of k8s.io/component-base, what happens in a queue.
//
// Rate limiters and orders of the two packages have the same methods and stand for each other without help.
package clientgo
