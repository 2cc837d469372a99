package controller_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-k8s/sluice/pkg/controller"
)

// Every goes by the controller's clock, also when others stand between the two.
func TestTheClockOfASourceIsTheControllers(t *testing.T) {
	every := controller.Every("audit", time.Minute, func(context.Context) iter.Seq[string] {
		return slices.Values([]string{"a"})
	})
	for name, source := range map[string]controller.Source[string]{
		"as it is": every, "mapped": controller.Mapped(every, strings.ToLower), "at once": controller.AtOnce(every),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := clocktesting.NewFakeClock(time.Unix(0, 0))
				var runs diary
				_, stop := start(t, controller.Config[string]{
					Reconcile: runs.reconcile, Clock: clock, Sources: []controller.Source[string]{source},
				})
				defer stop()
				time.Sleep(24 * time.Hour)
				runs.next(t)
				clock.Step(time.Minute)
				runs.next(t, "a")
			})
		})
	}
}
