package controlplane

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// parts are the processes of one control plane, in the order of their start.
type parts struct {
	list  []*part
	crash *crash
}

func newParts() *parts { return &parts{crash: &crash{seen: make(chan struct{})}} }

// put adds p, in the place of an earlier part of its name if there was one.
func (ps *parts) put(p *part) {
	if i := ps.index(p.name); i >= 0 {
		ps.list[i] = p
		return
	}
	ps.list = append(ps.list, p)
}

func (ps *parts) index(name string) int {
	return slices.IndexFunc(ps.list, func(p *part) bool { return p.name == name })
}

// state is what the state file says about the parts.
func (ps *parts) state() []partState {
	var all []partState
	for _, p := range ps.list {
		all = append(all, partState{Name: p.name, Port: p.port, process: p.process})
	}
	return all
}

// stop ends the parts, last started first, and waits until they are gone.
func (ps *parts) stop(ctx context.Context) error {
	var errs []error
	for _, p := range slices.Backward(ps.list) {
		errs = append(errs, p.stop(ctx))
	}
	return errors.Join(errs...)
}

// crash is the first end of a part that nobody asked for.
type crash struct {
	once sync.Once
	seen chan struct{}
	err  error // set before seen is closed
}

func (c *crash) report(err error) {
	c.once.Do(func() {
		c.err = err
		close(c.seen)
	})
}
