package controlplanetest

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// Patience is how long a test waits for what must happen, before it fails. It is
// no measure of anything.
const Patience = time.Minute

// Await asks until there is no error. It may be called in a cleanup.
func Await(tb testing.TB, ask func(context.Context) error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), Patience)
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		err := ask(ctx)
		if err == nil {
			return
		}
		if last == nil || ctx.Err() == nil { // the end of the wait is no reason
			last = err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			tb.Fatalf("waited for long: %v", last)
		}
	}
}

// AwaitTrue waits until what becomes true.
func AwaitTrue(tb testing.TB, what string, ask func() bool) {
	tb.Helper()
	Await(tb, func(context.Context) error {
		if !ask() {
			return fmt.Errorf("%s: not yet", what)
		}
		return nil
	})
}

// Receive waits for what must come.
func Receive[T any](tb testing.TB, what string, from <-chan T) (got T) {
	tb.Helper()
	select {
	case got = <-from:
	case <-time.After(Patience):
		tb.Fatalf("waited for long for %s", what)
	}
	return got
}
