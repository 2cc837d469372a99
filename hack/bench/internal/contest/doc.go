// Package contest has what is measured on a real control plane: caches and controllers, written on Sluice, on client-go and
// on controller-runtime in the usual way of each, and the workloads that they are put to. Each workload checks that all
// objects were seen, and the right ones.
package contest
