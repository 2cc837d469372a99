package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/sluice-k8s/sluice/hack/bench/internal/contest"
	"github.com/sluice-k8s/sluice/hack/bench/internal/report"
)

type options struct {
	bench   *regexp.Regexp
	rounds  int
	size    contest.Size
	docs    string
	results string
	profile string
	task    string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	o, err := parseFlags(os.Args[1:], os.Stderr)
	switch {
	case err != nil:
	case o.task != "":
		err = child(ctx, o, os.Stdout)
	default:
		err = run(ctx, o, os.Stdout, os.Stderr)
	}
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func parseFlags(args []string, stderr io.Writer) (options, error) {
	o := options{bench: regexp.MustCompile("")}
	flags := flag.NewFlagSet("cluster", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Func("bench", "measure only what matches the `regexp`, such as Sync or Latency/impl=sluice", func(text string) (err error) {
		o.bench, err = regexp.Compile(text)
		return err
	})
	flags.IntVar(&o.rounds, "rounds", 5, "measure everything `n` times")
	flags.IntVar(&o.size.Objects, "objects", 20_000, "put `n` pods and as many CronTabs there")
	flags.IntVar(&o.size.Writes, "writes", 1000, "measure the latency of `n` writes")
	o.size.Growth = []int{10_000, 100_000, 1_000_000}
	flags.Func("growth", "`sizes` of what is measured without a cluster (default 10000,100000,1000000)", func(text string) (err error) {
		o.size.Growth, err = parseSizes(text)
		return err
	})
	flags.StringVar(&o.docs, "write", "", "also update benchmarks.md and benchmarks/, results and plots, in the `directory`")
	flags.StringVar(&o.results, "results", "", "also write the results to the `file`, as they come")
	flags.StringVar(&o.profile, "profile", "", "have each process leave profiles in the `directory`")
	flags.StringVar(&o.task, "task", "", "do the `task` in this process, as the command asks of itself")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	return o, o.validate(flags.Args())
}

func parseSizes(text string) ([]int, error) {
	var sizes []int
	for part := range strings.SplitSeq(text, ",") {
		size, err := strconv.Atoi(part)
		if err != nil || size < 1 {
			return nil, fmt.Errorf("%q is no number of objects", part)
		}
		sizes = append(sizes, size)
	}
	return sizes, nil
}

func (o options) validate(arguments []string) error {
	switch {
	case len(arguments) > 0:
		return fmt.Errorf("unexpected argument %q", arguments[0])
	case o.rounds < 1:
		return fmt.Errorf("-rounds is %d, want at least 1", o.rounds)
	case o.size.Objects < 1:
		return fmt.Errorf("-objects is %d, want at least 1", o.size.Objects)
	case o.size.Writes < 1:
		return fmt.Errorf("-writes is %d, want at least 1", o.size.Writes)
	}
	return nil
}

// run measures, and shows what came out.
func run(ctx context.Context, o options, stdout, progress io.Writer) error {
	tasks := o.tasks()
	if len(tasks) == 0 {
		return fmt.Errorf("no benchmark matches %q", o.bench)
	}
	text, err := measure(ctx, o, tasks, progress)
	if err != nil {
		return err
	}
	results, err := report.Parse(strings.NewReader(text), "results")
	if err != nil {
		return err
	}
	outcome := report.New(results)
	if err := outcome.Print(stdout); err != nil || o.docs == "" {
		return err
	}
	return outcome.WriteDocs(o.docs)
}

// tasks returns what is asked for.
func (o options) tasks() []contest.Task {
	var tasks []contest.Task
	for _, task := range contest.Tasks(o.size) {
		if o.bench.MatchString(task.Name()) {
			tasks = append(tasks, task)
		}
	}
	return tasks
}
