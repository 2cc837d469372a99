package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sluice-k8s/sluice/hack/bench/internal/contest"
)

// measure does all tasks in each round, and returns the results as text.
func measure(ctx context.Context, o options, tasks []contest.Task, progress io.Writer) (string, error) {
	s, err := openSite(ctx, progress)
	if err != nil {
		return "", err
	}
	defer s.close()
	if err := s.fill(ctx, o.size, tasks); err != nil {
		return "", fmt.Errorf("filling the cluster: %w", err)
	}
	var results bytes.Buffer
	out := io.Writer(&results)
	if o.results != "" {
		file, err := os.Create(o.results)
		if err != nil {
			return "", err
		}
		defer file.Close()
		out = io.MultiWriter(&results, file)
	}
	fmt.Fprint(out, environment(s.kubernetes))
	for round := range o.rounds {
		fmt.Fprintf(progress, "round %d of %d\n", round+1, o.rounds)
		if err := s.round(ctx, round, tasks, o.profile, out); err != nil {
			return "", fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	return results.String(), nil
}

// round does each task once, in every second round the last one first. The results come in the order of the tasks, so that a
// report has the same order whatever the round.
func (s *site) round(ctx context.Context, round int, tasks []contest.Task, profile string, out io.Writer) error {
	groups := together(tasks)
	lines := make([][]string, len(groups))
	for n := range groups {
		i := n
		if round%2 == 1 {
			i = len(groups) - 1 - n
		}
		run := fmt.Sprintf("%d-%d-%d", time.Now().Unix(), round, i)
		measured, err := s.measureTogether(ctx, groups[i], run, profile)
		if err != nil {
			return fmt.Errorf("%s: %w", groups[i][0].Name(), err)
		}
		lines[i] = measured
		fmt.Fprintln(s.progress, strings.Join(measured, "\n"))
	}
	_, err := io.WriteString(out, strings.Join(slices.Concat(lines...), "\n")+"\n")
	return err
}

// together groups the tasks that are done at the same time: those of a latency, so that they are about the same writes and the
// same moods of the server. All others are done one by one.
func together(tasks []contest.Task) (groups [][]contest.Task) {
	for _, task := range tasks {
		last := len(groups) - 1
		if task.Writes > 0 && last >= 0 && groups[last][0].Workload == task.Workload {
			groups[last] = append(groups[last], task)
		} else {
			groups = append(groups, []contest.Task{task})
		}
	}
	return groups
}

// taskTimeout ends a task that hangs, such as when a key was lost.
const taskTimeout = 5 * time.Minute

// measureTogether runs a process for each task, all at the same time, and writes to the cluster when they ask for that.
func (s *site) measureTogether(ctx context.Context, tasks []contest.Task, run, profile string) (lines []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, taskTimeout)
	defer cancel()
	var started []*process
	defer func() {
		if err != nil {
			cancel()
		}
		for _, p := range started {
			err = errors.Join(err, p.wait())
		}
	}()
	for _, task := range tasks {
		task.Run = run
		p, err := startProcess(ctx, task, s.kubeconfig, profile)
		if err != nil {
			return nil, err
		}
		started = append(started, p)
	}
	if err := s.writeFor(ctx, tasks[0], run, started); err != nil {
		return nil, err
	}
	for _, p := range started {
		line, ok := p.line()
		if !ok {
			return nil, errors.New("a process has no result")
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// writeFor writes to the cluster if the task is about that, as soon as all processes are ready.
func (s *site) writeFor(ctx context.Context, task contest.Task, run string, started []*process) error {
	if task.Writes == 0 {
		return nil
	}
	for _, p := range started {
		if line, _ := p.line(); line != contest.Ready {
			return fmt.Errorf("a process says %q, want %q", line, contest.Ready)
		}
	}
	return s.cluster.Write(ctx, run, contest.ConfigMaps, contest.Warmup+task.Writes, contest.WritesPerSecond)
}
