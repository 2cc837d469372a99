package integration_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/pkg/controller/manager"
)

// A process is a program that runs.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string // that it tells
}

// start starts a program. It is killed at the end of the test if it is still there.
func (w world) start(name string) *process {
	w.t.Helper()
	p := &process{w.t, exec.CommandContext(context.Background(), os.Args[0]), make(chan string, 10)}
	p.cmd.Env = append(os.Environ(), programEnv+"="+name, namespaceEnv+"="+w.namespace, "KUBECONFIG="+w.plane.Kubeconfig())
	p.cmd.Stderr = w.t.Output()
	out, err := p.cmd.StdoutPipe()
	w.must(err)
	w.must(p.cmd.Start())
	go p.listen(out)
	w.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
	return p
}

func (p *process) listen(out io.Reader) {
	defer close(p.lines)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		p.lines <- lines.Text()
	}
}

// tells waits until the program tells what is expected.
func (p *process) tells(want string) {
	p.t.Helper()
	if got := controlplanetest.Receive(p.t, want, p.lines); got != want {
		p.t.Fatalf("the program says %q, want %q", got, want)
	}
}

// terminate sends SIGTERM and waits until the program is stopping.
func (p *process) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	p.tells("stopping")
}

// ends waits until the program has ended, and returns its exit code.
func (p *process) ends() int {
	p.t.Helper()
	for line := range p.lines {
		p.t.Errorf("the program says %q", line)
	}
	if err := p.cmd.Wait(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			p.t.Fatal(err)
		}
	}
	return p.cmd.ProcessState.ExitCode()
}

// holder returns who holds the lease of a program.
func (w world) holder(name string) string {
	w.t.Helper()
	lease, err := w.core.CoordinationV1().Leases(w.namespace).Get(w.t.Context(), name, metav1.GetOptions{})
	w.must(err)
	return *lease.Spec.HolderIdentity
}

// A program gets SIGTERM while a reconcile is running. That gets the time to finish, with a cache that lives; then events are
// sent, and then the lease is given up. The API server's audit log is the witness.
func TestSIGTERMInMidReconcile(t *testing.T) {
	w := newWorld(t)
	w.page("work")
	p := w.start(diligent)
	p.tells("working")
	controlplanetest.AwaitTrue(t, "the first event", func() bool { return len(w.audit(writesOf(diligent, "events"))) > 0 })
	p.terminate()
	if got := w.holder(diligent); got == "" {
		t.Error("the lease was given up while a reconcile was running")
	}
	w.page("more")
	if code := p.ends(); code != manager.ExitClean {
		t.Errorf("the exit code is %d, want %d", code, manager.ExitClean)
	}
	if got := w.holder(diligent); got != "" {
		t.Errorf("the lease is held by %q, who is gone", got)
	}
	controlplanetest.Await(t, func(context.Context) error { return w.endedInOrder(diligent) })
}

// endedInOrder says what is wrong with the last writes of a program.
func (w world) endedInOrder(name string) error {
	var writes []string
	for _, r := range w.audit(func(r record) bool { return r.UserAgent == name && r.isWrite() }) {
		if what := r.Verb + " " + r.ObjectRef.Resource; len(writes) == 0 || what != writes[len(writes)-1] {
			writes = append(writes, what)
		}
	}
	// The lease may have been renewed in between.
	result := slices.Index(writes, "create configmaps")
	event := slices.Index(writes, "patch events")
	if result < 0 || event < result || writes[len(writes)-1] != "update leases" {
		return fmt.Errorf("it has written %q, want its result, the event, and at last the lease", writes)
	}
	return nil
}

// A reconcile that does not heed its context is left to the end of the process, and so is the lease.
func TestReconcileIgnoresSIGTERM(t *testing.T) {
	w := newWorld(t)
	w.page("work")
	p := w.start(deaf)
	p.tells("working")
	p.terminate()
	if code := p.ends(); code != manager.ExitGrace {
		t.Errorf("the exit code is %d, want %d", code, manager.ExitGrace)
	}
	if w.holder(deaf) == "" {
		t.Error("the lease was given up while a reconcile was running")
	}
}
