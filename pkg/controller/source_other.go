package controller

import (
	"context"
	"fmt"
	"iter"
	"runtime/debug"
	"time"

	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// Channel returns a source that adds the keys that are sent, until the channel is closed: for events from outside the
// cluster. Each key is for one controller, so a channel is for one. Senders wait while nothing subscribes.
func Channel[K comparable](name string, keys <-chan K) Source[K] { return channel[K]{name, keys} }

type channel[K comparable] struct {
	name string
	keys <-chan K
}

func (c channel[K]) Subscribe(to Target[K]) Subscription {
	options := queue.AddOptions{Trigger: queue.Trigger{Source: c.name, Cause: "sent"}}
	return feed(to.Logger, func(ctx context.Context) {
		for {
			select {
			case key, ok := <-c.keys:
				if !ok {
					return
				}
				guard(to.Logger, c.name, func() { to.Add(key, options) })
			case <-ctx.Done():
				return
			}
		}
	})
}

// Every returns a source that adds all the keys once in an interval, with the lowest priority: to look at what no event
// tells of. The first time is an interval after the subscription. The context of keys ends when the subscription is closed,
// which waits for them, and has the controller's logger. A panic of keys is logged; the next time comes. An interval that
// is not positive panics.
func Every[K comparable](name string, interval time.Duration, keys func(ctx context.Context) iter.Seq[K]) Source[K] {
	if interval <= 0 {
		panic(fmt.Sprintf("controller: the interval of Every(%q) is %v; it must be positive", name, interval))
	}
	return every[K]{name, interval, keys}
}

type every[K comparable] struct {
	name     string
	interval time.Duration
	keys     func(ctx context.Context) iter.Seq[K]
}

func (e every[K]) Subscribe(to Target[K]) Subscription {
	if to.Clock == nil {
		to.Clock = clock.RealClock{}
	}
	return feed(to.Logger, func(ctx context.Context) {
		ticker := to.Clock.NewTicker(e.interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C():
				guard(to.Logger, e.name, func() { e.addAll(ctx, to) })
			case <-ctx.Done():
				return
			}
		}
	})
}

func (e every[K]) addAll(ctx context.Context, to Target[K]) {
	options := queue.AddOptions{Priority: queue.Background, Trigger: queue.Trigger{Source: e.name, Cause: "periodic"}}
	for key := range e.keys(ctx) {
		if ctx.Err() != nil {
			return
		}
		to.Add(key, options)
	}
}

// guard calls what calls a function of the user's. Its panic is logged.
func guard(logger klog.Logger, source string, call func()) {
	defer func() {
		if value := recover(); value != nil {
			logger.Error(nil, "Source panicked", "source", source, "panic", value, "stack", string(debug.Stack()))
		}
	}()
	call()
}

// feed runs a function in a goroutine, as a subscription to something that has nothing at first.
func feed(logger klog.Logger, run func(ctx context.Context)) Subscription {
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), logger))
	f := &feeding{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(f.done)
		run(ctx)
	}()
	return f
}

// feeding is a function that feeds a controller.
type feeding struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func (f *feeding) WaitForSync(context.Context) error { return nil }

func (f *feeding) Close() {
	f.cancel()
	<-f.done
}
