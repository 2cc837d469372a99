// Package bench measures Sluice and client-go side by side: each workload is a benchmark with a sub-benchmark for each
// implementation, which does the same work on the same data. "make bench" runs them; only ratios within one run count.
package bench
