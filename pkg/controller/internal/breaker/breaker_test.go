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

// A script is a line for each step: what happens, and whether work is admitted then.
func TestBreaker(t *testing.T) {
	type step struct {
		do   string
		want string // admitted, closed for a time, or trial
	}
	tests := map[string][]step{
		"opens at the threshold":             {{"refused", "admitted"}, {"refused", "admitted"}, {"refused", "1s"}},
		"an answer begins the count anew":    {{"refused", "admitted"}, {"refused", "admitted"}, {"answered", "admitted"}, {"refused", "admitted"}},
		"so does time":                       {{"refused", "admitted"}, {"refused", "admitted"}, {"11s", "admitted"}, {"refused", "admitted"}},
		"what is unknown does not":           {{"refused", "admitted"}, {"unknown", "admitted"}, {"refused", "admitted"}, {"refused", "1s"}},
		"one trial at a time":                {{"refused", "admitted"}, {"refused", "admitted"}, {"refused", "1s"}, {"1s", "admitted"}, {"", "trial"}},
		"waits twice as long each time":      {{"refused 3", "1s"}, {"1s", "admitted"}, {"refused", "2s"}, {"2s", "admitted"}, {"refused", "4s"}, {"4s", "admitted"}, {"refused", "4s"}},
		"as long as the server asks":         {{"asked for 9s", "9s"}, {"9s", "admitted"}},
		"an answered trial closes it":        {{"refused 3", "1s"}, {"1s", "admitted"}, {"answered", "admitted"}, {"refused 3", "1s"}},
		"an unknown trial closes it, nearly": {{"refused 3", "1s"}, {"1s", "admitted"}, {"unknown", "admitted"}, {"refused", "2s"}},
		"and for good after a while":         {{"refused 3", "1s"}, {"1s", "admitted"}, {"unknown", "admitted"}, {"11s", "admitted"}, {"refused 2", "admitted"}, {"refused", "1s"}},
		"what began before does not count":   {{"refused 3", "1s"}, {"refused", "1s"}},
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
					b.Unknown()
				default:
					passes, err := time.ParseDuration(step.do)
					if err != nil {
						t.Fatal(err)
					}
					now = now.Add(passes)
				}
				got := "admitted"
				switch admitted, wait := b.Admit(now); {
				case !admitted && wait > 0:
					got = wait.String()
				case !admitted:
					got = "trial"
				}
				if got != step.want {
					t.Fatalf("after step %d, %q, work is %s, want %s", n, step.do, got, step.want)
				}
			}
		})
	}
}

// Whatever happens, a breaker never keeps work away for good, and tells of each change.
func TestBreakerLetsWorkPassInTheEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, now := breaker.New(config()), time.Unix(1000, 0)
		for range 50 {
			before := b.State()
			changed := false
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				changed = b.Refused(now, 0)
			case 1:
				changed = b.Answered()
			case 2:
				changed = b.Unknown()
			case 3:
				now = now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond)
			}
			if changed != (b.State() != before) {
				t.Fatalf("from %v to %v, told of a change: %v", before, b.State(), changed)
			}
			admitted, wait := b.Admit(now)
			if !admitted && wait == 0 && b.State() != breaker.HalfOpen || wait > config().MaxWait {
				t.Fatalf("in state %v it says to wait %v", b.State(), wait)
			}
		}
	})
}
