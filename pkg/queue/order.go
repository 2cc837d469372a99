package queue

// An Order decides which ready key is handed out next, instead of the queue's own classes and tenants. Its methods are
// those of client-go's workqueue.Queue, called under the queue's lock: they must not call the queue.
//
// Package queuetest tells whether an implementation conforms.
type Order[K comparable] interface {
	// Touch says that an item that is in the order was added again.
	Touch(item K)
	// Push adds an item that is not in the order.
	Push(item K)
	// Len returns how many items are in the order.
	Len() int
	// Pop removes the item that is next and returns it. It is called only when Len is not 0.
	Pop() K
}
