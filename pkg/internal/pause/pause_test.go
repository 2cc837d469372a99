package pause_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"k8s.io/utils/clock"

	"github.com/sluice-k8s/sluice/pkg/internal/pause"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFor(t *testing.T) {
	tests := map[string]struct {
		wait, life time.Duration
		took       time.Duration
		over       bool
	}{
		"all of it":           {time.Minute, time.Hour, time.Minute, true},
		"nothing":             {0, time.Hour, 0, true},
		"less than nothing":   {-1, time.Hour, 0, true},
		"the context ends":    {time.Hour, time.Minute, time.Minute, false},
		"it has ended":        {time.Hour, 0, 0, false},
		"nothing after ended": {0, 0, 0, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), test.life)
				defer cancel()
				began := time.Now()
				over := pause.For(ctx, clock.RealClock{}, test.wait)
				if took := time.Since(began); over != test.over || took != test.took {
					t.Errorf("it took %v, is over: %v; want %v, %v", took, over, test.took, test.over)
				}
			})
		})
	}
}
