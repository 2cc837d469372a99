package cache

import (
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
		collected.prepare()
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
		return outcome, nil
	}
	r.status.fresh(r.config.Clock.Now())
	return outcome, nil
}
