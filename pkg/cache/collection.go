package cache

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/protocol"
)

// A collection gathers everything there is, from a list or from the initial events of a watch.
type collection[T Object] struct {
	reflector *Reflector[T]
	state     State[T]
	reused    bool // some item is the object that is cached
	behind    bool // some item is older than the object that is cached
	revisions map[types.NamespacedName]revision[T]
	prepared  int // the first so many items
}

// A revision is the last change of an object while the initial events came, which come in no order.
type revision[T Object] struct {
	Item[T]

	id   Identity
	gone bool
}

var (
	errNameless = errors.New("an object has no name")
	errNoEnd    = errors.New("watch: the server sends initial events without an end")
)

// add takes an item, if it is of use.
func (c *collection[T]) add(ctx context.Context, item Item[T]) {
	switch {
	case item.Err != nil && item.Err.Key.Name == "":
		c.reflector.skip(ctx, item.Err)
		c.state.Unidentified = true
	case item.Err != nil:
		c.state.Undecodable = append(c.state.Undecodable, item.Err)
	case item.Object.GetName() == "":
		c.reflector.skip(ctx, errNameless)
	default:
		c.compare(item.Object)
		c.state.Items = append(c.state.Items, item.Object)
	}
}

// initialEvents collects everything there is and returns its version.
func (c *collection[T]) initialEvents(d *deadline, stream Stream[T]) (version string, err error) {
	for {
		event, err := next(stream)
		undecodable, isUndecodable := errors.AsType[*UndecodableError](err)
		switch {
		case isUndecodable:
			c.addEvent(d.ctx, undecodable.Type, undecodable.Identity, Item[T]{Err: undecodable})
		case err != nil:
			return "", fmt.Errorf("watch: %w", err)
		case event.Type != watch.Bookmark:
			c.addEvent(d.ctx, event.Type, IdentityOf(event.Object), Item[T]{Object: event.Object})
		case event.Object.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true":
			c.revise()
			return event.Object.GetResourceVersion(), nil
		default:
			return "", errNoEnd
		}
		c.prepare()
		d.touch()
	}
}

// addEvent takes what an event says of an object.
func (c *collection[T]) addEvent(ctx context.Context, change watch.EventType, id Identity, item Item[T]) {
	before, revised := c.revisions[id.Key]
	switch {
	case unknownType(change) != nil:
		c.reflector.skip(ctx, unknownType(change))
	case id.Key.Name == "" || change == watch.Added && !revised:
		c.add(ctx, item)
	case revised && older(id.ResourceVersion, before.id.ResourceVersion):
		return
	default:
		if c.revisions == nil {
			c.revisions = make(map[types.NamespacedName]revision[T])
		}
		c.revisions[id.Key] = revision[T]{item, id, change == watch.Deleted}
	}
}

// revise puts the changes in the place of what they have changed.
func (c *collection[T]) revise() {
	if c.revisions == nil {
		return
	}
	items, undecodable := c.state.Items, c.state.Undecodable
	c.state = State[T]{Items: items[:0]}
	for _, item := range items {
		if c.isLast(IdentityOf(item)) {
			c.state.Items = append(c.state.Items, item)
		}
	}
	c.prepared = len(c.state.Items)
	for _, err := range undecodable {
		if c.isLast(err.Identity) {
			c.state.Undecodable = append(c.state.Undecodable, err)
		}
	}
	for _, last := range c.revisions {
		switch {
		case last.gone:
		case last.Err != nil:
			c.state.Undecodable = append(c.state.Undecodable, last.Err)
		default:
			c.state.Items = append(c.state.Items, last.Object)
		}
	}
}

// prepare has the sink prepare the items that have come since the last time.
func (c *collection[T]) prepare() {
	prepare := c.reflector.prepare
	if prepare == nil {
		return
	}
	items, fresh := c.state.Items[:c.prepared], c.state.Items[c.prepared:]
	for _, item := range fresh {
		if usable, err := prepare(item); err == nil {
			items = append(items, usable)
		} else {
			c.state.Undecodable = append(c.state.Undecodable, &UndecodableError{Identity: IdentityOf(item), Err: err})
		}
	}
	clear(c.state.Items[len(items):])
	c.state.Items, c.prepared, c.state.prepared = items, len(items), true
}

// isLast says whether there is no revision of an object, and drops one that is older.
func (c *collection[T]) isLast(id Identity) bool {
	last, revised := c.revisions[id.Key]
	if revised && !older(last.id.ResourceVersion, id.ResourceVersion) {
		return false
	}
	delete(c.revisions, id.Key)
	return true
}

// replace hands over what was collected. If the versions have gone back and cached objects are part of it, which may have
// another content in the new epoch, nothing is handed over and all has to be collected again. Likewise if they had gone back
// and are already past where they were: only an object that is older than the cached one shows that.
func (c *collection[T]) replace(next protocol.Request, version string) protocol.Outcome {
	r := c.reflector
	listed := len(c.state.Items)
	c.prepare()
	behind := older(version, r.machine.Version())
	if again := c.reused && behind || c.behind && !behind; again && !next.Afresh {
		return protocol.Outcome{Mode: next.Mode, Ending: protocol.Behind}
	}
	c.state.ResourceVersion, c.state.NewEpoch = version, behind || next.Afresh
	c.state.epochKnown = next.Afresh && r.told && !behind
	r.status.listed(listed, r.config.Clock.Now())
	r.sink.Replace(c.state)
	return protocol.Outcome{Mode: protocol.List, Ending: protocol.Complete, Version: version}
}

// compare notes how an object stands to the one that is cached.
func (c *collection[T]) compare(obj T) {
	if c.reflector.known == nil {
		return
	}
	switch cached, ok := c.reflector.known.Get(KeyOf(obj)); {
	case !ok:
	case cached == obj:
		c.reused = true
	default:
		c.behind = c.behind || older(obj.GetResourceVersion(), cached.GetResourceVersion())
	}
}
