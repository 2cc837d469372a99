package scale_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/scale"
)

func config() scale.Config {
	return scale.Config{Min: 2, Max: 20, Latency: time.Second, Calm: 3}
}

var (
	short   = scale.Sample{Busy: 20, Ready: 5, Oldest: 2 * time.Second}
	refused = scale.Sample{Busy: 20, Ready: 5, Oldest: 2 * time.Second, Refused: 1}
	slowed  = scale.Sample{Busy: 20, Ready: 5, Oldest: 2 * time.Second, Throttled: 2}
	quick   = scale.Sample{Busy: 20, Ready: 5, Oldest: time.Second}
	idle    = scale.Sample{Busy: 1}
	slow    = scale.Sample{Busy: 1, Ready: 5, Oldest: 2 * time.Second} // keys wait, but not for workers
)

func TestScaler(t *testing.T) {
	tests := map[string]struct {
		samples []scale.Sample
		workers []int
		reason  string // the last
	}{
		"more while keys wait":           {[]scale.Sample{short, short, short}, []int{3, 4, 5}, "waited 2s"},
		"in steps that follow the size":  {[]scale.Sample{short, short, short, short, short, short, short}, []int{3, 4, 5, 6, 7, 8, 10}, "waited"},
		"not for a short wait":           {[]scale.Sample{quick}, []int{2}, ""},
		"not if workers are free":        {[]scale.Sample{slow}, []int{2}, ""},
		"half when the server refuses":   {[]scale.Sample{short, short, short, short, refused}, []int{3, 4, 5, 6, 3}, "refused 1 reconciles"},
		"half when it throttles":         {[]scale.Sample{short, short, short, short, slowed}, []int{3, 4, 5, 6, 3}, "throttled 2 requests"},
		"not more right after":           {[]scale.Sample{short, short, short, short, refused, short, short, short}, []int{3, 4, 5, 6, 3, 3, 3, 4}, "waited"},
		"fewer when idle for long":       {[]scale.Sample{short, short, idle, idle, idle}, []int{3, 4, 4, 4, 3}, "idle"},
		"one step at a time":             {[]scale.Sample{short, short, short, idle, idle, idle, idle, idle, idle}, []int{3, 4, 5, 5, 5, 4, 4, 4, 3}, "idle"},
		"not when idle for a moment":     {[]scale.Sample{short, short, idle, idle, quick, idle, idle}, []int{3, 4, 4, 4, 4, 4, 4}, ""},
		"not fewer than the least":       {[]scale.Sample{idle, idle, idle, refused}, []int{2, 2, 2, 2}, ""},
		"refused counts more than short": {[]scale.Sample{refused, refused}, []int{2, 2}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := scale.New(config())
			reason := ""
			for n, sample := range test.samples {
				reason = s.Next(sample)
				if s.Workers() != test.workers[n] {
					t.Fatalf("after sample %d there are %d workers, want %d", n, s.Workers(), test.workers[n])
				}
			}
			if test.reason == "" && reason != "" || !strings.Contains(reason, test.reason) {
				t.Errorf("the reason is %q, want %q", reason, test.reason)
			}
		})
	}
}

// Whatever is seen, the number stays within its limits, changes with a reason, and never grows when the server refuses.
func TestScalerKeepsItsLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := scale.Config{Min: rapid.IntRange(1, 5).Draw(t, "min"), Latency: time.Second, Calm: rapid.IntRange(1, 4).Draw(t, "calm")}
		c.Max = c.Min + rapid.IntRange(0, 50).Draw(t, "more")
		s := scale.New(c)
		for range 100 {
			before := s.Workers()
			sample := scale.Sample{
				Busy:    rapid.IntRange(0, c.Max).Draw(t, "busy"),
				Ready:   rapid.IntRange(0, 10).Draw(t, "ready"),
				Oldest:  time.Duration(rapid.IntRange(0, 3).Draw(t, "oldest")) * time.Second,
				Refused: rapid.IntRange(0, 1).Draw(t, "refused"),
			}
			reason := s.Next(sample)
			after := s.Workers()
			switch {
			case after < c.Min || after > c.Max:
				t.Fatalf("%d workers, limits are %d and %d", after, c.Min, c.Max)
			case (after != before) != (reason != ""):
				t.Fatalf("from %d to %d workers because of %q", before, after, reason)
			case after > before && sample.Refused > 0:
				t.Fatalf("from %d to %d workers when the server refuses", before, after)
			}
		}
	})
}
