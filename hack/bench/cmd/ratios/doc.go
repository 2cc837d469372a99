// Ratios runs the benchmarks of the package in the current directory and prints, for each area and workload, how Sluice
// compares with its peers, beside the goal.
//
//	go run ./cmd/ratios -bench Queue -rounds 5
//
// A machine that others use too is slower at one time than at another. So the benchmarks are compiled once and run in
// rounds: each round measures every implementation once, a ratio is that of two measurements of the same round, and
// what is printed is the median of the rounds, with the lowest and the highest.
//
// With arguments it runs nothing and reads files in the format of "go test -bench" instead; the n-th result of a
// benchmark in a file belongs to the n-th round.
package main
