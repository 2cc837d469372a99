package controller

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A Source says which keys are to be reconciled when.
type Source[K comparable] interface {
	// Subscribe begins to hand keys to the target, from any goroutine, until the subscription is closed.
	Subscribe(to Target[K]) Subscription
}

// A Target takes keys from sources, for one controller.
type Target[K comparable] struct {
	// Controller is the controller's name.
	Controller string
	// Add makes the controller reconcile a key. It does not block.
	Add func(key K, options queue.AddOptions)
	// Triggers says that somebody wants to know why: fill in the Trigger of the options.
	Triggers bool
	// Logger takes what goes wrong.
	Logger klog.Logger
	// Clock is the controller's: for sources that wait. Nil means the real one.
	Clock clock.WithTicker
}

// A Subscription is a source at work for one controller. A [cache.Subscription] is one.
type Subscription interface {
	// WaitForSync waits until everything that existed at first has been added.
	WaitForSync(ctx context.Context) error
	// Close ends the subscription and waits until nothing is added any more. A controller calls it once.
	Close()
}

// For returns a source that adds the key of each object that changes, if all predicates let the event pass.
//
// Events at which the object's state should be reconciled whatever happened before end a back-off, and take back a parked
// key: it was created or deleted, its generation has changed, or, if its type has no generation, anything has. All others
// wait for a back-off that is under way: most of them come of what the controller itself or its peers write.
func For[T cache.Object](informer *cache.Informer[T], when ...Predicate[T]) Source[types.NamespacedName] {
	return watches[T, types.NamespacedName]{
		informer: informer,
		mapping:  func(event cache.Event[T], add func(types.NamespacedName)) { add(event.Key) },
		when:     when,
		own:      true,
	}
}

// Watches returns a source that calls mapping with each event of the informer that all predicates let pass. The mapping
// adds the keys that the event makes worth a reconcile, any number of them; of an update it sees the object before, too. It
// must not block, nor call add after it has returned. A panic of the mapping or a predicate is logged and counted by the
// informer's subscription, which tries the event again.
//
// A key that waits for its retry goes on waiting, with back-off, and the run that comes sees the event as well. [AtOnce]
// changes that.
func Watches[T cache.Object, K comparable](
	informer *cache.Informer[T], mapping func(event cache.Event[T], add func(K)), when ...Predicate[T],
) Source[K] {
	return watches[T, K]{informer: informer, mapping: mapping, when: when}
}

type watches[T cache.Object, K comparable] struct {
	informer *cache.Informer[T]
	mapping  func(cache.Event[T], func(K))
	when     []Predicate[T]
	own      bool // the keys are those of the objects
}

func (w watches[T, K]) Subscribe(to Target[K]) Subscription {
	pass := All(w.when...)
	var options queue.AddOptions // of the event that is being mapped; events come one by one
	add := func(key K) { to.Add(key, options) }
	return w.informer.Subscribe(to.Controller, func(_ context.Context, event cache.Event[T]) {
		if !pass(event) {
			return
		}
		options = queue.AddOptions{Priority: priorityOf(event), Now: w.own && isNews(event)}
		if to.Triggers {
			options.Trigger = w.triggerOf(event)
		}
		w.mapping(event, add)
	})
}

// priorityOf lets events of now overtake the first pass over everything, and that a resync.
func priorityOf[T cache.Object](event cache.Event[T]) queue.Priority {
	switch {
	case event.Initial:
		return queue.Low
	case event.Resync:
		return queue.Background
	default:
		return queue.Normal
	}
}

// isNews says whether what was wrong before may be right after the event.
func isNews[T cache.Object](event cache.Event[T]) bool {
	switch {
	case event.Initial || event.Resync:
		return false
	case event.Type == cache.Updated:
		return GenerationChanged(event) || event.Old.GetDeletionTimestamp() == nil && event.Object.GetDeletionTimestamp() != nil
	default:
		return true
	}
}

func (w watches[T, K]) triggerOf(event cache.Event[T]) queue.Trigger {
	trigger := queue.Trigger{Source: w.informer.Name(), Cause: causeOf(event)}
	if !w.own {
		trigger.Object = event.Key.String()
	}
	return trigger
}

func causeOf[T cache.Object](event cache.Event[T]) string {
	switch {
	case event.Initial:
		return "initial"
	case event.Resync:
		return "resync"
	case event.Type == cache.Added:
		return "added"
	case event.Type == cache.Deleted:
		return "deleted"
	default:
		return "updated"
	}
}
