// Package bench measures Sluice, client-go and controller-runtime side by side: each workload is a benchmark with a
// sub-benchmark for each implementation, which does the same work on the same data. "make bench" runs them and shows
// how they compare; only ratios within one run count.
//
// "make bench-cluster" does the same for what needs an API server or a process of its own: the sync of a cache, with its CPU
// time and memory, and the latency and throughput of a whole controller. See commands ratios and cluster; package report
// has the goals.
//
// All use the versions that go.mod resolves to: controller-runtime is built with the client-go that it is compared with,
// which may be newer than the one its own go.mod asks for.
package bench
