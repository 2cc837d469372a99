package clientgo

import (
	"context"

	"k8s.io/client-go/tools/cache"

	engine "github.com/sluice-k8s/sluice/pkg/cache"
)

// telling returns what tells a handler of client-go of events.
func telling(handler cache.ResourceEventHandler) engine.Handler[*object] {
	return func(_ context.Context, event engine.Event[*object]) {
		switch event.Type {
		case engine.Added:
			handler.OnAdd(event.Object.value(), event.Initial)
		case engine.Updated:
			handler.OnUpdate(event.Old.value(), event.Object.value())
		case engine.Deleted:
			handler.OnDelete(deleted(event))
		}
	}
}

func deleted(event engine.Event[*object]) any {
	if event.FinalStateUnknown {
		return cache.DeletedFinalStateUnknown{Key: joinKey(event.Key), Obj: event.Object.value()}
	}
	return event.Object.value()
}

// A registration is the handle of a handler, and its own checker.
type registration struct {
	pipeline     *pipeline
	subscription *engine.Subscription[*object]
}

var (
	_ cache.ResourceEventHandlerRegistration = (*registration)(nil)
	_ cache.DoneChecker                      = (*registration)(nil)
)

// HasSynced says whether the handler has returned from all initial objects.
func (r *registration) HasSynced() bool { return r.subscription.HasSynced() }

// HasSyncedChecker is HasSynced for those who wait.
func (r *registration) HasSyncedChecker() cache.DoneChecker { return r }

// Name returns the name of the checker.
func (r *registration) Name() string { return r.subscription.Name() }

// Done returns a channel that is closed when HasSynced becomes true.
func (r *registration) Done() <-chan struct{} { return r.subscription.Synced() }

// ShutdownChan returns a channel that is closed when the handler will not be called again. [cache.ShutDownEventHandler] asks
// for it.
func (r *registration) ShutdownChan() <-chan struct{} { return r.subscription.Ended() }

// ended says whether the handler will not be called again.
func (r *registration) ended() bool { return isClosed(r.subscription.Ended()) }

func isClosed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}
