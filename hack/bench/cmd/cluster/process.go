package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/sluice-k8s/sluice/hack/bench/internal/contest"
)

// A process does one task.
type process struct {
	cmd        *exec.Cmd
	stdout     *bufio.Scanner
	complaints bytes.Buffer
}

// startProcess starts this program once more.
func startProcess(ctx context.Context, task contest.Task, kubeconfig, profile string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := task.Text()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, self, "-task", text, "-profile", profile)}
	p.cmd.Env = append(os.Environ(), clientcmd.RecommendedConfigPathEnvVar+"="+kubeconfig)
	p.cmd.Stderr = &p.complaints
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.stdout = bufio.NewScanner(stdout)
	return p, p.cmd.Start()
}

// line returns the next line that the process prints, and whether there is one.
func (p *process) line() (string, bool) {
	ok := p.stdout.Scan()
	return p.stdout.Text(), ok
}

// wait returns when the process has ended. Its error has what the process complained of.
func (p *process) wait() error {
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%w\n%s", err, &p.complaints)
	}
	return nil
}
