package contest

import (
	"fmt"
	"sync"

	"github.com/sluice-k8s/sluice/hack/bench/internal/fleet"
)

// A roll is called until all objects have answered. Its methods may be called concurrently.
type roll struct {
	all chan struct{} // closed when the last one has been seen

	mu    sync.Mutex
	seen  []bool // by number
	left  int
	wrong error // the first thing that was
}

func newRoll(objects int) *roll {
	return &roll{all: make(chan struct{}), seen: make([]bool, objects), left: objects}
}

// see notes an object. One that was seen before, or that nobody has put there, is wrong.
func (r *roll) see(name string) {
	number, err := fleet.Number(name)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil:
		r.failLocked(err)
	case number >= len(r.seen):
		r.failLocked(fmt.Errorf("object %d was seen, of %d", number, len(r.seen)))
	case r.seen[number]:
		r.failLocked(fmt.Errorf("object %d was seen twice", number))
	default:
		r.seen[number] = true
		r.left--
		if r.left == 0 {
			close(r.all)
		}
	}
}

func (r *roll) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failLocked(err)
}

func (r *roll) failLocked(err error) {
	if r.wrong == nil {
		r.wrong = err
	}
}

func (r *roll) err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wrong
}

func (r *roll) missing() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.left
}
