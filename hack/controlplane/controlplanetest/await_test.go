package controlplanetest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
)

// A failing test notes why it fails.
type failing struct {
	*testing.T

	reason string
}

func (f *failing) Fatalf(format string, args ...any) {
	f.reason = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// fails returns what a test has failed with, or nothing.
func fails(t *testing.T, test func(tb testing.TB)) string {
	t.Helper()
	f, done := &failing{T: t}, make(chan struct{})
	go func() {
		defer close(done)
		test(f)
	}()
	<-done
	return f.reason
}

func TestAwaitAsksUntilThereIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		almost := controlplanetest.Patience - time.Second
		controlplanetest.AwaitTrue(t, "almost", func() bool { return time.Since(began) >= almost })
		if waited := time.Since(began); waited != almost {
			t.Errorf("it waited for %v, want %v", waited, almost)
		}
	})
}

func TestAwaitSaysWhatWasWrong(t *testing.T) {
	tests := map[string]struct {
		test func(tb testing.TB)
		want string
	}{
		"an error": {func(tb testing.TB) {
			tb.Helper()
			controlplanetest.Await(tb, func(ctx context.Context) error {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return errors.New("broken")
			})
		}, "waited for long: broken"},
		"a condition": {func(tb testing.TB) {
			tb.Helper()
			controlplanetest.AwaitTrue(tb, "ready", func() bool { return false })
		}, "waited for long: ready: not yet"},
		"a channel": {func(tb testing.TB) {
			tb.Helper()
			controlplanetest.Receive(tb, "the end", make(chan int))
		}, "waited for long for the end"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := fails(t, test.test); got != test.want {
					t.Errorf("it failed with %q, want %q", got, test.want)
				}
			})
		})
	}
}

// The context of a test has ended when its cleanups run.
func TestAwaitInACleanup(t *testing.T) {
	t.Cleanup(func() {
		controlplanetest.Await(t, func(ctx context.Context) error { return ctx.Err() })
	})
}

func TestReceive(t *testing.T) {
	from := make(chan int, 1)
	from <- 7
	if got := controlplanetest.Receive(t, "a number", from); got != 7 {
		t.Errorf("received %d", got)
	}
}
