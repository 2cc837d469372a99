package manager

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"

	"github.com/sluice-k8s/sluice/pkg/controller/lease"
)

func TestExitCodes(t *testing.T) {
	stopped, stop := context.WithCancelCause(t.Context())
	stop(errors.New("terminated"))
	for name, test := range map[string]struct {
		ctx  context.Context
		err  error
		code int
	}{
		"done":                     {t.Context(), nil, ExitClean},
		"help":                     {t.Context(), pflag.ErrHelp, ExitClean},
		"error":                    {t.Context(), errors.New("x"), ExitError},
		"cancelled by nobody":      {t.Context(), context.Canceled, ExitError},
		"stopped":                  {stopped, nil, ExitClean},
		"stopped, context's error": {stopped, fmt.Errorf("x: %w", context.Canceled), ExitClean},
		"stopped, context's cause": {stopped, context.Cause(stopped), ExitClean},
		"stopped, with an error":   {stopped, errors.New("x"), ExitError},
		"stopped, joined":          {stopped, errors.Join(fmt.Errorf("x: %w", context.Canceled), context.Cause(stopped)), ExitClean},
		"stopped, and an error":    {stopped, errors.Join(errors.New("x"), context.Canceled), ExitError},
		"stopped, a runner failed": {stopped, fmt.Errorf("x: %w", &failure{"x", context.Canceled}), ExitError},
		"lost":                     {stopped, errors.Join(errors.New("x"), fmt.Errorf("x: %w", lease.ErrLost)), ExitLost},
		"grace":                    {stopped, fmt.Errorf("x: %w", ErrGracePeriod), ExitGrace},
	} {
		if got := Code(test.ctx, test.err); got != test.code {
			t.Errorf("%s: %d, want %d", name, got, test.code)
		}
	}
}

// The log says why a program has ended, unless it was asked for its flags: then the help is the answer.
func TestLogOfTheEnd(t *testing.T) {
	for _, test := range []struct {
		err  error
		code int
		want string
	}{
		{nil, ExitClean, `"Ended" program="test"` + "\n"},
		{fmt.Errorf("flags: %w", pflag.ErrHelp), ExitClean, ""},
		{errors.New("broken"), ExitError, `"Failed" err="broken" program="test" code=1` + "\n"},
	} {
		var log strings.Builder
		logger := textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&log), textlogger.WithHeader(false)))
		code := runProgram(klog.NewContext(t.Context(), logger), "test", func(context.Context) error { return test.err })
		if code != test.code || log.String() != test.want {
			t.Errorf("%v: code %d, log %q; want %d, %q", test.err, code, log.String(), test.code, test.want)
		}
	}
}

// programEnv makes this test binary a program that waits for signals.
const programEnv = "SLUICE_TEST_PROGRAM"

// A real process gets real signals: the first ends it in order, the second at once.
func TestSignals(t *testing.T) {
	if how := os.Getenv(programEnv); how == "both" {
		twoAtOnce()
	} else if how != "" {
		Main("test", func(ctx context.Context) error {
			fmt.Println("begun")
			<-ctx.Done()
			fmt.Println("stopping:", context.Cause(ctx))
			if how == "stuck" {
				select {}
			}
			return ctx.Err()
		})
	}
	for _, test := range []struct {
		how     string
		signals []syscall.Signal
		state   string
	}{
		{"orderly", []syscall.Signal{syscall.SIGTERM}, "exit status 0"},
		{"orderly", []syscall.Signal{syscall.SIGINT}, "exit status 0"},
		{"stuck", []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}, "signal: interrupt"},
		{"both", nil, "signal: interrupt"},
		{"stuck", []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}, "signal: terminated"},
	} {
		lines, log, state := runSelf(t, test.how, test.signals)
		if state != test.state {
			t.Errorf("%s, %v: %q, want %q; it said %q", test.how, test.signals, state, test.state, lines)
		}
		if len(test.signals) == 0 {
			continue
		}
		if want := test.signals[0].String() + " signal received"; !strings.Contains(lines, "stopping: "+want) {
			t.Errorf("%s, %v: the cause is not %q: %q", test.how, test.signals, want, lines)
		} else if test.how == "orderly" && !strings.Contains(log, want) {
			t.Errorf("%s, %v: the log lacks %q: %q", test.how, test.signals, want, log)
		}
	}
}

// twoAtOnce has got both signals before anybody has looked. The second is not lost.
func twoAtOnce() {
	signals := make(chan os.Signal, 2)
	signals <- syscall.SIGTERM
	signals <- os.Interrupt
	ctx, cancel := context.WithCancelCause(context.Background())
	listen(ctx, signals, cancel)
	time.Sleep(time.Minute) // the signal comes before
}

// runSelf runs this test binary as a program and sends it a signal after each line that it writes.
func runSelf(t *testing.T, how string, signals []syscall.Signal) (lines, log, state string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestSignals$")
	command.Env = append(os.Environ(), programEnv+"="+how)
	var stderr strings.Builder
	command.Stderr = &stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 1024)
	for {
		n, err := stdout.Read(buffer)
		if err != nil {
			break
		}
		lines += string(buffer[:n])
		if len(signals) > 0 {
			if err := command.Process.Signal(signals[0]); err != nil {
				t.Error(err)
			}
			signals = signals[1:]
		}
	}
	_ = command.Wait() // the state says it
	return lines, stderr.String(), command.ProcessState.String()
}

func TestOptionsAreFlags(t *testing.T) {
	o := Options{LeaderElect: true, LeaseName: "mine"}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	o.AddFlags(flags)
	if o.LeaseDuration != 15*time.Second || o.RenewDeadline != 10*time.Second || o.RetryPeriod != 2*time.Second {
		t.Errorf("defaults %+v", o)
	}
	err := flags.Parse([]string{
		"--leader-elect=false", "--leader-elect-lease-duration=30s", "--leader-elect-renew-deadline=20s", "--leader-elect-retry-period=5s",
		"--leader-elect-resource-name=x", "--leader-elect-resource-namespace=y", "--health-probe-bind-address=:1",
	})
	want := Options{
		LeaseName: "x", LeaseNamespace: "y", HealthAddress: ":1",
		LeaseDuration: 30 * time.Second, RenewDeadline: 20 * time.Second, RetryPeriod: 5 * time.Second,
	}
	if err != nil || o != want {
		t.Errorf("%v: %+v, want %+v", err, o, want)
	}
}

func TestElectPutsTheFenceIntoTheConfig(t *testing.T) {
	config := &rest.Config{Host: "https://localhost"}
	if e, err := (&Options{}).Elect(config); e != nil || err != nil || config.WrapTransport != nil {
		t.Errorf("without election: %v, %v, wrapped %v", e, err, config.WrapTransport != nil)
	}
	o := &Options{LeaderElect: true, LeaseName: "x", LeaseNamespace: "y"}
	if e, err := o.Elect(config); e == nil || err != nil || config.WrapTransport == nil {
		t.Errorf("with election: %v, %v, wrapped %v", e, err, config.WrapTransport != nil)
	}
	o.LeaseName = ""
	if _, err := o.Elect(config); err == nil || !strings.Contains(err.Error(), "--leader-elect-resource-name") {
		t.Errorf("without a name: %v", err)
	}
}

func TestNamespaceOfTheLease(t *testing.T) {
	file := filepath.Join(t.TempDir(), "namespace")
	if err := os.WriteFile(file, []byte("pods\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ option, file, want string }{
		{"given", file, "given"},
		{"", file, "pods"},
		{"", file + "-missing", ""},
	} {
		o := &Options{LeaseNamespace: test.option}
		if got, err := o.namespace(test.file); got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%+v: %q, %v", test, got, err)
		}
	}
}
