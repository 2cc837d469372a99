// Package report turns results of benchmarks into tables, plots and a page: for each area and workload, how Sluice compares
// with its peers, beside the goal. Results are those of several rounds; a ratio is that of two measurements of the same round,
// and what is shown is the median of the rounds, with the lowest and the highest.
package report
