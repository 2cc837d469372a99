package main

import (
	"bytes"
	"context"
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
	order := make([]int, len(tasks))
	for i := range order {
		order[i] = i
	}
	if round%2 == 1 {
		slices.Reverse(order)
	}
	lines := make([]string, len(tasks))
	for _, i := range order {
		task := tasks[i]
		task.Run = fmt.Sprintf("%d-%d-%d", time.Now().Unix(), round, i)
		line, err := s.measureOne(ctx, task, profile)
		if err != nil {
			return fmt.Errorf("%s: %w", task.Name(), err)
		}
		lines[i] = line
		fmt.Fprintln(s.progress, line)
	}
	_, err := io.WriteString(out, strings.Join(lines, "\n")+"\n")
	return err
}

// taskTimeout ends a task that hangs, such as when a key was lost.
const taskTimeout = 5 * time.Minute

// measureOne runs a process that does the task, and writes to the cluster when it asks for that.
func (s *site) measureOne(ctx context.Context, task contest.Task, profile string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, taskTimeout)
	defer cancel()
	p, err := startProcess(ctx, task, s.kubeconfig, profile)
	if err != nil {
		return "", err
	}
	for line := range p.lines() {
		if line != contest.Ready {
			return line, p.wait()
		}
		if err := s.cluster.Write(ctx, task.Run, contest.ConfigMaps, contest.Warmup+task.Writes, contest.WritesPerSecond); err != nil {
			cancel()
			return "", fmt.Errorf("%w (%w)", err, p.wait())
		}
	}
	return "", fmt.Errorf("no result: %w", p.wait())
}
