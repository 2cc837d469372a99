package clientgo

import (
	"time"

	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// resyncs decide on the resync periods of the handlers of one informer, as client-go does.
type resyncs struct {
	standard time.Duration // for handlers that ask for none in particular; zero if the informer does no resyncs
	shortest time.Duration // that may be asked for once the informer runs: the least before
}

// leastPeriod is the shortest period of a handler.
const leastPeriod = time.Second

// period returns the period for a handler, zero for never. What it does not grant is logged.
func (r *resyncs) period(options cache.HandlerOptions, running bool) time.Duration {
	logger, asked := klog.Background(), r.standard
	if options.Logger != nil {
		logger = *options.Logger
	}
	if options.ResyncPeriod != nil {
		asked = *options.ResyncPeriod
	}
	if asked <= 0 {
		return 0
	}
	if r.standard == 0 {
		logger.Info("No resync: this shared informer doesn't support resyncing", "asked", asked)
		return 0
	}
	return r.granted(logger, asked, running)
}

func (r *resyncs) granted(logger klog.Logger, asked time.Duration, running bool) time.Duration {
	if asked < leastPeriod {
		logger.Info("The resync period is too small: raised to the least", "asked", asked, "least", leastPeriod)
		asked = leastPeriod
	}
	if asked < r.shortest && running {
		logger.Info("The resync period is smaller than resync check period and the informer has already started: raised to that",
			"asked", asked, "check", r.shortest)
		return r.shortest
	}
	r.shortest = min(r.shortest, asked)
	return asked
}
