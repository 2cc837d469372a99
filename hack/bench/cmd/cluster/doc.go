// Cluster measures caches and controllers on a real control plane: Sluice beside client-go and controller-runtime, each
// measurement in a process of its own.
//
//	go run ./cmd/cluster -bench Sync -rounds 3
//
// KUBECONFIG says which cluster, one that has no pods and no CronTabs; what is put there stays. Without it a control plane is
// started, and stopped at the end. First it is filled, once for all rounds. Then each round measures everything once, so that
// a ratio is that of two measurements that were made one soon after the other; every second round goes the other way. CPU
// time and peak of memory are those that the operating system tells of the process. A measurement that has lost an object
// fails.
//
// The results are in the format of "go test -bench". They are shown and written like those of command ratios. With -profile
// each process also leaves profiles of its CPU and heap.
package main
