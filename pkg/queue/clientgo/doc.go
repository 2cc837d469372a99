// Package clientgo joins package queue to client-go's workqueue.
//
// A [queue.Queue] is a workqueue.TypedRateLimitingInterface: hand it to a controller that was written for client-go and
// little else changes:
//
//   - An add of a key that waits for its retry is that retry; client-go runs the key again when the wait is over.
//   - AddRateLimited of a key that is ready, or waits for its retry, counts a failure and nothing else; client-go runs the
//     key again, or asks the limiter and takes the shorter wait.
//   - AddRateLimited after ShutDown does nothing; client-go counts a failure.
//   - Done of a key that is not being processed does nothing; client-go may hand out the key twice.
//   - ShutDownWithDrain waits until everything that is ready was processed, and drops what is delayed.
//   - What a key of a pointer type points to may stay reachable when it is done: see "Bounded" in package queue.
//
// What needs client-go's own types is here, so that package queue needs no Kubernetes: [Metrics]
// tells a workqueue.MetricsProvider, for instance that of k8s.io/component-base, what happens in a queue.
//
// Rate limiters and orders of the two packages have the same methods and stand for each other without help.
package clientgo
