package events

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/answer"
)

// pauses returns how long a recorder waited between requests that all failed.
func pauses(t *testing.T, config Config, err error, d time.Duration) (pauses []time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := open(t, config)
		at := time.Now()
		p.failing(func(string, int) failure {
			pauses = append(pauses, time.Since(at))
			at = time.Now()
			return failure{err: err}
		})
		p.Normal(pod("web"), "R", "A", "n")
		pass(d)
	})
	return pauses[1:]
}

func TestPausesGrow(t *testing.T) {
	got := pauses(t, Config{MinBackoff: 2 * time.Second, MaxBackoff: 10 * time.Second}, errors.New("refused"), time.Minute)
	for n, seconds := range []int{2, 4, 8, 10, 10} {
		between(t, got[n:n+1], time.Duration(seconds)*time.Second)
	}
}

func TestPausesAreShortAgainAfterASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{})
		p.failing(down)
		p.Normal(pod("web"), "R", "A", "n")
		pass(5 * time.Minute) // pauses of 30 s
		p.failing(nil)
		pass(time.Minute)
		p.failing(func(_ string, n int) failure {
			if n == len(p.verbs) && !strings.Contains(p.verbs[n-1], "db") {
				return failure{err: errors.New("connection refused")}
			}
			return failure{}
		})
		p.Normal(pod("db"), "R", "A", "n")
		pass(2 * time.Second)
		want(t, "Events", len(p.events), 2)
	})
}

// between fails if one of the pauses is not what it must be, made longer by up to a quarter.
func between(t *testing.T, pauses []time.Duration, want time.Duration) {
	t.Helper()
	for n, pause := range pauses {
		if pause < want || pause > want*5/4 {
			t.Errorf("pause %d is %v, want %v to a quarter more", n, pause, want)
		}
	}
}

func TestServerNamesThePause(t *testing.T) {
	between(t, pauses(t, Config{}, apierrors.NewTooManyRequests("slow down", 20), 90*time.Second)[:3], 20*time.Second)
	hour := apierrors.NewTooManyRequests("slow down", 3600)
	between(t, pauses(t, Config{}, hour, 6*time.Minute)[:2], answer.MaxRetryAfter)
}

func TestOneThatFailsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{RetryFor: 2 * time.Minute})
		p.failing(func(_ string, n int) failure {
			if n%2 == 0 && len(p.events) < 2 || len(p.events) == 2 { // a webhook refuses the first Event
				return failure{err: apierrors.NewInternalError(errors.New("failed calling webhook"))}
			}
			return failure{}
		})
		for _, name := range []string{"bad", "web", "db"} {
			p.Normal(pod(name), "R", "A", "n")
		}
		pass(10 * time.Second)
		want(t, "Events", len(p.events), 2)
		pass(3 * time.Minute)
		p.status(t, map[Cause]int{Unavailable: 1})
	})
}

func TestRequestThatHangsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{RequestTimeout: 3 * time.Second})
		p.failing(func(_ string, n int) failure {
			if n == 0 {
				return failure{err: errHang}
			}
			return failure{}
		})
		p.Normal(pod("web"), "R", "A", "n")
		pass(2 * time.Second)
		want(t, "requests before the time-out", len(p.requests()), 1)
		pass(3 * time.Second)
		want(t, "Events", len(p.events), 1)
		want(t, "retries", p.status(t, nil).Retries, 1)
	})
}
