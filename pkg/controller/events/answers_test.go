package events

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

func TestRefusedEventIsDropped(t *testing.T) {
	tests := map[string]error{
		"a namespace that terminates": apierrors.NewForbidden(resource, "x", errors.New("namespace is being terminated")),
		"a namespace that is gone":    apierrors.NewNotFound(resource, "x"),
		"invalid":                     apierrors.NewBadRequest("no"),
		"too large":                   apierrors.NewRequestEntityTooLargeError("no"),
	}
	for name, err := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := open(t, Config{})
				p.failing(func(_ string, n int) failure {
					if n == 0 {
						return failure{err: err}
					}
					return failure{}
				})
				p.Normal(pod("web"), "R", "A", "n")
				p.Normal(pod("db"), "R", "A", "n")
				synctest.Wait() // no time passes
				want(t, "requests", fmt.Sprint(p.requests()), "[create web create db]")
				p.status(t, map[Cause]int{Rejected: 1})
				p.Normal(pod("web"), "R", "A", "n") // is tried again
				synctest.Wait()
				want(t, "Events", len(p.events), 2)
			})
		})
	}
}

func TestLostEventIsCreatedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{})
		p.Normal(pod("web"), "R", "A", "n")
		synctest.Wait()
		began := p.one().EventTime
		clear(p.events) // its time to live is over
		p.Normal(pod("web"), "R", "A", "n")
		pass(time.Minute)
		want(t, "requests", fmt.Sprint(p.requests()), "[create web patch web create web]")
		want(t, "count", p.one().Series.Count, 2)
		want(t, "first", p.one().EventTime, began)
	})
}

func TestLostAnswerMakesNoSecondEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{})
		p.failing(func(_ string, n int) failure {
			if n == 0 {
				return failure{err: errors.New("connection reset by peer"), did: true}
			}
			return failure{}
		})
		p.Normal(pod("web"), "R", "A", "n")
		synctest.Wait()
		p.Normal(pod("web"), "R", "A", "n")
		pass(time.Minute)
		want(t, "requests", fmt.Sprint(p.requests()), "[create web create web patch web]")
		want(t, "count", p.one().Series.Count, 2)
		p.status(t, nil)
	})
}

func TestNameOfAnotherIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{})
		p.failing(func(_ string, n int) failure {
			if n == 0 {
				return failure{err: apierrors.NewAlreadyExists(resource, "x")}
			}
			return failure{}
		})
		p.Normal(pod("web"), "R", "A", "n")
		pass(2 * time.Second)
		want(t, "Events", len(p.events), 1)
		p.status(t, nil)
	})
}
