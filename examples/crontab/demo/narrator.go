package main

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// A narrator writes plain lines with the time since the start. It may be used concurrently.
type narrator struct {
	started time.Time

	mu  sync.Mutex
	out io.Writer
}

func newNarrator(out io.Writer) *narrator { return &narrator{started: time.Now(), out: out} }

// line says who did what.
func (n *narrator) line(who, format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.out, "%8.3fs  %-10s  %s\n", time.Since(n.started).Seconds(), who, fmt.Sprintf(format, args...))
}

// as returns a writer whose lines are somebody's.
func (n *narrator) as(who string) io.Writer { return voice{n, who} }

// A voice writes the lines of somebody.
type voice struct {
	narrator *narrator
	who      string
}

func (v voice) Write(text []byte) (int, error) {
	v.narrator.line(v.who, "%s", trimNewline(text))
	return len(text), nil
}

func trimNewline(text []byte) []byte {
	for len(text) > 0 && text[len(text)-1] == '\n' {
		text = text[:len(text)-1]
	}
	return text
}

// A check is something that must have been seen; err says what was seen instead.
type check struct {
	what string
	err  error
}

// verdict writes all checks and returns an error if one does not hold.
func (n *narrator) verdict(checks []check) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	failed := 0
	fmt.Fprintln(n.out)
	for _, check := range checks {
		if check.err == nil {
			fmt.Fprintf(n.out, "  ok    %s\n", check.what)
			continue
		}
		failed++
		fmt.Fprintf(n.out, "  FAIL  %s: %v\n", check.what, check.err)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d checks failed, see above", failed, len(checks))
	}
	return nil
}

var errNotSeen = errors.New("not seen")
