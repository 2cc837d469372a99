package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"golang.org/x/perf/benchfmt"

	"github.com/sluice-k8s/sluice/hack/bench/internal/report"
)

type options struct {
	bench     string
	rounds    int
	benchtime time.Duration
	docs      string
	files     []string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, parseFlags(), os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "ratios:", err)
		os.Exit(1)
	}
}

func parseFlags() (o options) {
	flag.StringVar(&o.bench, "bench", ".", "run the benchmarks that match the `regexp`, as in go test")
	flag.IntVar(&o.rounds, "rounds", 5, "run each benchmark `n` times")
	flag.DurationVar(&o.benchtime, "benchtime", 500*time.Millisecond, "run each benchmark for about this long in each round")
	flag.StringVar(&o.docs, "write", "", "also update benchmarks.md and benchmarks/, results and plots, in the `directory`")
	flag.Parse()
	o.files = flag.Args()
	return o
}

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	if o.rounds < 1 {
		return fmt.Errorf("-rounds is %d, want at least 1", o.rounds)
	}
	results, err := obtain(ctx, o, stderr)
	if err != nil {
		return err
	}
	outcome := report.New(results)
	if outcome.Empty() {
		return fmt.Errorf("no benchmark matches %q", o.bench)
	}
	if err := outcome.Print(stdout); err != nil || o.docs == "" {
		return err
	}
	return outcome.WriteDocs(o.docs)
}

func obtain(ctx context.Context, o options, progress io.Writer) ([]*benchfmt.Result, error) {
	if len(o.files) > 0 {
		return report.ReadFiles(o.files)
	}
	return measure(ctx, o, progress)
}
