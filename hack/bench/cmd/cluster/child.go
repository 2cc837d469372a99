package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/sluice-k8s/sluice/hack/bench/internal/contest"
)

// child does the one task that the process is for, and writes its result as a line.
func child(ctx context.Context, o options, stdout io.Writer) error {
	task, err := contest.ParseTask(o.task)
	if err != nil {
		return err
	}
	config, err := loadConfig(os.Getenv(clientcmd.RecommendedConfigPathEnvVar))
	if err != nil {
		return err
	}
	stop, err := startProfile(o.profile, task)
	if err != nil {
		return err
	}
	operations, figures, err := task.Do(ctx, config, stdout)
	if err := errors.Join(err, stop()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, resultLine(task.Name(), runtime.GOMAXPROCS(0), operations, figures))
	return err
}

// loadConfig returns a config whose clients wait for nobody but the server.
func loadConfig(kubeconfig string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	return config, nil
}

// resultLine returns a result as "go test -bench" prints it.
func resultLine(name string, processors, operations int, figures []contest.Figure) string {
	var line strings.Builder
	fmt.Fprintf(&line, "Benchmark%s", name)
	if processors > 1 {
		fmt.Fprintf(&line, "-%d", processors)
	}
	fmt.Fprintf(&line, "\t%d", operations)
	for _, figure := range figures {
		fmt.Fprintf(&line, "\t%.4g %s", figure.Value, figure.Unit)
	}
	return line.String()
}

// startProfile begins with profiles of the process in the directory, if it has a name.
func startProfile(dir string, task contest.Task) (stop func() error, err error) {
	if dir == "" {
		return func() error { return nil }, nil
	}
	name := filepath.Join(dir, strings.NewReplacer("/", "_", "=", "-").Replace(task.Name()))
	cpu, err := os.Create(name + ".cpu.pprof")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return nil, errors.Join(err, cpu.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return errors.Join(cpu.Close(), writeAllocations(name+".allocs.pprof"))
	}, nil
}

func writeAllocations(name string) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(file, 0), file.Close())
}
