package cache

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/protocol"
)

// list reads all pages and hands them to the sink as one state.
func (r *Reflector[T]) list(d *deadline, next protocol.Request) (protocol.Outcome, error) {
	collected := collection[T]{reflector: r}
	opts := metav1.ListOptions{ResourceVersion: next.Version}
	if next.Version != "" {
		opts.ResourceVersionMatch = metav1.ResourceVersionMatchNotOlderThan
	}
	if !next.Whole && r.config.PageSize > 0 {
		opts.Limit = r.config.PageSize
	}
	request := r.request(opts, next)
	d.within(r.config.Silence, nil)
	for {
		page, err := r.source.StreamList(d.ctx, request, func(item Item[T]) {
			d.touch()
			collected.add(d.ctx, item)
		})
		if err != nil {
			return failed(d.ctx, next.Mode, fmt.Errorf("list: %w", err), request.Continue != "")
		}
		d.touch()
		if page.Continue == "" {
			return collected.replace(next, page.ResourceVersion), nil
		}
		// A token carries its own version; a server refuses a request that names both.
		request.Continue, request.ResourceVersion, request.ResourceVersionMatch = page.Continue, "", ""
	}
}

// probe asks for the server's most recent version: by a list of at most one object, which is consistent.
func (r *Reflector[T]) probe(d *deadline) (protocol.Outcome, error) {
	request := Request[T]{ListOptions: metav1.ListOptions{Limit: 1}}
	r.config.ListOptions(&request.ListOptions)
	d.within(r.config.Silence, nil)
	page, err := r.source.StreamList(d.ctx, request, func(Item[T]) { d.touch() })
	if err != nil {
		return failed(d.ctx, protocol.Probe, fmt.Errorf("probe: %w", err), false)
	}
	outcome := protocol.Outcome{Mode: protocol.Probe, Ending: protocol.Complete}
	if older(page.ResourceVersion, r.machine.Version()) {
		outcome.Ending = protocol.Behind
	}
	return outcome, nil
}

// A collection gathers everything there is, from a list or from the initial events of a watch.
type collection[T Object] struct {
	reflector *Reflector[T]
	state     State[T]
	reused    bool                  // some item is the object that is cached
	deleted   map[Identity]struct{} // of the initial events, which come in no order
}

// add takes an item, if it is of use.
func (c *collection[T]) add(ctx context.Context, item Item[T]) {
	if item.Err != nil {
		c.isolate(ctx, item.Err)
		return
	}
	if item.Object.GetName() == "" {
		c.reflector.skip(ctx, errNameless)
		return
	}
	c.reused = c.reused || c.reflector.reuses(item.Object)
	c.state.Items = append(c.state.Items, item.Object)
}

func (c *collection[T]) isolate(ctx context.Context, err *UndecodableError) {
	if err.Key.Name == "" {
		c.reflector.skip(ctx, err)
		return
	}
	c.state.Undecodable = append(c.state.Undecodable, err)
}

// replace hands over what was collected. If the versions have gone back and cached objects are part of it, which may have
// another content in the new epoch, nothing is handed over and all has to be collected again.
func (c *collection[T]) replace(next protocol.Request, version string) protocol.Outcome {
	r := c.reflector
	if c.reused && older(version, r.machine.Version()) {
		return protocol.Outcome{Mode: next.Mode, Ending: protocol.Behind}
	}
	c.state.ResourceVersion = version
	r.status.listed(len(c.state.Items), r.config.Clock.Now())
	r.sink.Replace(c.state)
	return protocol.Outcome{Mode: protocol.List, Ending: protocol.Complete, Version: version}
}

// reuses says whether an object is the one that is cached, rather than an equal one.
func (r *Reflector[T]) reuses(obj T) bool {
	if r.known == nil {
		return false
	}
	cached, ok := r.known.Get(KeyOf(obj))
	return ok && cached == obj
}

var errNameless = errors.New("an object has no name")
