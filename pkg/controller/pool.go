package controller

import (
	"context"
	"sync"
	"time"

	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/scale"
)

// A pool is a number of workers, which changes.
type pool struct {
	work  func(handOut context.Context)
	group sync.WaitGroup
	stops []context.CancelFunc // of the workers
}

// resize makes it n workers. Those that leave finish what they are at.
func (p *pool) resize(ctx context.Context, n int) {
	for len(p.stops) < n {
		handOut, stop := context.WithCancel(ctx)
		p.stops = append(p.stops, stop)
		p.group.Go(func() { p.work(handOut) })
	}
	for len(p.stops) > n {
		p.stops[len(p.stops)-1]()
		p.stops = p.stops[:len(p.stops)-1]
	}
}

// A Scaling is a change of the number of workers.
type Scaling struct {
	At      time.Time
	Workers int // since then
	Reason  string
}

// How the number of workers follows the load.
const (
	scaleInterval = time.Second
	scaleCalm     = 30 // intervals
	scalingsKept  = 16
)

// scale changes the number of workers with the load, until the context is done.
func (c *Controller[K]) scale(ctx context.Context) {
	scaler := scale.New(scale.Config{
		Min: c.config.Workers, Max: c.config.MaxWorkers, Latency: c.config.TargetLatency, Calm: scaleCalm,
	})
	ticker := c.config.Clock.NewTicker(scaleInterval)
	defer ticker.Stop()
	refused, throttled := c.counts.refused.Load(), c.counts.throttled.Load()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
		queued, refusedNow, throttledNow := c.queue.Status(), c.counts.refused.Load(), c.counts.throttled.Load()
		reason := scaler.Next(scale.Sample{
			Busy:      c.seats.busy(),
			Ready:     queued.Ready,
			Oldest:    queued.OldestReady,
			Refused:   int(refusedNow - refused),
			Throttled: int(throttledNow - throttled),
		})
		refused, throttled = refusedNow, throttledNow
		if reason != "" {
			klog.FromContext(ctx).Info("Scaling workers", "workers", scaler.Workers(), "reason", reason)
			c.counts.scaled(Scaling{c.config.Clock.Now(), scaler.Workers(), reason})
			c.pool.resize(ctx, scaler.Workers())
		}
	}
}
