package events

// An ordered is a map that remembers in which order its keys were put. Each method takes constant time.
type ordered[K comparable, V any] struct {
	nodes map[K]*node[K, V]
	ring  node[K, V] // its next is the oldest
}

type node[K comparable, V any] struct {
	key        K
	value      V
	prev, next *node[K, V]
}

func newOrdered[K comparable, V any]() *ordered[K, V] {
	o := &ordered[K, V]{nodes: make(map[K]*node[K, V])}
	o.ring.prev, o.ring.next = &o.ring, &o.ring
	return o
}

func (o *ordered[K, V]) len() int { return len(o.nodes) }

func (o *ordered[K, V]) get(key K) (value V, ok bool) {
	if n := o.nodes[key]; n != nil {
		return n.value, true
	}
	return value, false
}

// put sets the value of a key and makes it the latest.
func (o *ordered[K, V]) put(key K, value V) {
	n := o.nodes[key]
	if n == nil {
		n = &node[K, V]{key: key}
		o.nodes[key] = n
	} else {
		n.unlink()
	}
	n.value = value
	n.prev, n.next = o.ring.prev, &o.ring
	n.prev.next, n.next.prev = n, n
}

func (o *ordered[K, V]) remove(key K) {
	if n := o.nodes[key]; n != nil {
		n.unlink()
		delete(o.nodes, key)
	}
}

func (n *node[K, V]) unlink() { n.prev.next, n.next.prev = n.next, n.prev }

// oldest returns what was put first.
func (o *ordered[K, V]) oldest() (key K, value V, ok bool) {
	n := o.ring.next
	return n.key, n.value, n != &o.ring
}
