package breaker_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/breaker"
)

func config() breaker.Config {
	return breaker.Config{Threshold: 3, Window: 10 * time.Second, MinWait: time.Second, MaxWait: 4 * time.Second}
}

// A script is a line for each step: what happens, and what who asks is told then: any work may pass, this is a trial, wait
// for a time, or wait for a trial.
func TestBreaker(t *testing.T) {
	type step struct{ do, want string }
	tests := map[string][]step{
		"opens at the threshold":             {{"refused", "any"}, {"refused", "any"}, {"refused", "1s"}},
		"an answer begins the count anew":    {{"refused", "any"}, {"refused", "any"}, {"answered", "any"}, {"refused", "any"}},
		"so does time":                       {{"refused", "any"}, {"refused", "any"}, {"11s", "any"}, {"refused", "any"}},
		"what is unknown does not":           {{"refused", "any"}, {"unknown", "any"}, {"refused", "any"}, {"refused", "1s"}},
		"one trial at a time":                {{"refused 3", "1s"}, {"1s", "trial"}, {"", "wait"}, {"10m", "wait"}},
		"another if it takes long":           {{"refused 3", "1s"}, {"1s", "trial"}, {"begin", "1s"}, {"1s", "trial"}, {"", "wait"}, {"begin", "1s"}},
		"another if it does not take place":  {{"refused 3", "1s"}, {"1s", "trial"}, {"give up", "trial"}, {"", "wait"}},
		"waits twice as long each time":      {{"refused 3", "1s"}, {"1s", "trial"}, {"refused", "2s"}, {"2s", "trial"}, {"refused", "4s"}, {"4s", "trial"}, {"refused", "4s"}},
		"so does the next trial":             {{"refused 3", "1s"}, {"1s", "trial"}, {"refused", "2s"}, {"2s", "trial"}, {"begin", "2s"}},
		"as long as the server asks":         {{"asked for 9s", "9s"}, {"9s", "trial"}},
		"an answered trial closes it":        {{"refused 3", "1s"}, {"1s", "trial"}, {"answered", "any"}, {"refused 3", "1s"}},
		"an unknown trial closes it, nearly": {{"refused 3", "1s"}, {"1s", "trial"}, {"unknown", "any"}, {"refused", "2s"}},
		"for as long as a window":            {{"refused 3", "1s"}, {"1s", "trial"}, {"unknown", "any"}, {"9500ms", "any"}, {"refused", "2s"}},
		"and for good after a while":         {{"refused 3", "1s"}, {"1s", "trial"}, {"unknown", "any"}, {"11s", "any"}, {"refused 2", "any"}, {"refused", "1s"}},
		"what began before does not count":   {{"refused 3", "1s"}, {"refused", "1s"}},
		"what comes too late changes nothing": {
			{"refused 3", "1s"},
			{"unknown", "1s"},
			{"begin", "1s"},
			{"give up", "1s"},
			{"answered", "any"},
			{"begin", "any"},
			{"give up", "any"},
			{"unknown", "any"},
			{"refused 2", "any"},
		},
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			b, now := breaker.New(config()), time.Unix(1000, 0)
			for n, step := range script {
				switch step.do {
				case "":
				case "refused":
					b.Refused(now, 0)
				case "refused 2", "refused 3":
					for range int(step.do[8] - '0') {
						b.Refused(now, 0)
					}
				case "asked for 9s":
					for range 3 {
						b.Refused(now, 9*time.Second)
					}
				case "answered":
					b.Answered()
				case "unknown":
					b.Unknown(now)
				case "begin":
					b.Begin(now)
				case "give up":
					b.GiveUp()
				default:
					passes, err := time.ParseDuration(step.do)
					if err != nil {
						t.Fatal(err)
					}
					now = now.Add(passes)
				}
				got := "any"
				switch pass, wait := b.Admit(now); {
				case pass == breaker.ATrial:
					got = "trial"
				case pass == breaker.None && wait > 0:
					got = wait.String()
				case pass == breaker.None:
					got = "wait"
				}
				if got != step.want {
					t.Fatalf("after step %d, %q, work is %s, want %s", n, step.do, got, step.want)
				}
			}
		})
	}
}

// Whatever happens, a breaker lets work pass as soon as the trial that it waits for has begun and its time is over, and
// tells of each change.
func TestBreakerLetsWorkPassInTheEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, now := breaker.New(config()), time.Unix(1000, 0)
		due := false // a trial that has not begun
		for range 50 {
			before := b.State()
			changed := false
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				changed = b.Refused(now, 0)
			case 1:
				changed = b.Answered()
			case 2:
				changed = b.Unknown(now)
			case 3:
				changed = b.GiveUp()
			case 4:
				if b.Begin(now) {
					due = false
				}
			case 5:
				now = now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond)
			}
			if changed != (b.State() != before) {
				t.Fatalf("from %v to %v, told of a change: %v", before, b.State(), changed)
			}
			due = due && b.State() == breaker.HalfOpen
			pass, wait := b.Admit(now)
			switch {
			case pass == breaker.None && wait == 0 && !due:
				t.Fatalf("in state %v it says to wait for nothing", b.State())
			case wait > config().MaxWait:
				t.Fatalf("in state %v it says to wait %v", b.State(), wait)
			}
			due = due || pass == breaker.ATrial
			if b.IsCalm(now) {
				wantAsNew(t, *b, now)
			}
		}
	})
}

// wantAsNew checks that a breaker remembers no refusal.
func wantAsNew(t *rapid.T, b breaker.Breaker, now time.Time) {
	t.Helper()
	for n := range config().Threshold {
		if last := n == config().Threshold-1; b.Refused(now, 0) != last {
			t.Fatalf("a calm breaker is %v after %d refusals", b.State(), n+1)
		}
	}
}

func TestABreakerIsCalmAgainAfterAWhile(t *testing.T) {
	b, now := breaker.New(config()), time.Unix(1000, 0)
	b.Refused(now, 0)
	if b.IsCalm(now.Add(config().Window)) || !b.IsCalm(now.Add(config().Window+1)) {
		t.Error("want one refusal to count for as long as the window, and no longer")
	}
}
