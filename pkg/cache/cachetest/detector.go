package cachetest

import (
	"context"
	"hash/maphash"
	"maps"
	"reflect"
	"slices"
	"sync"
	"testing"
	"unsafe"
	"weak"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// A MutationDetector finds changes of cached objects; see the package documentation for which. Its methods may be called
// concurrently. Create one with [NewMutationDetector] or [DetectMutations].
type MutationDetector[T cache.Object] struct {
	seed maphash.Seed

	mu        sync.Mutex
	objects   map[address]*object
	sweepAt   int // the number of objects at which those that are garbage are dropped
	mutations []Mutation
}

// An address tells objects apart, also one from a later one in the same memory.
type address = weak.Pointer[byte]

// An object is one that entered the cache.
type object struct {
	key             types.NamespacedName
	resourceVersion string

	mu      sync.Mutex
	digest  digest
	holders []string // handlers that have it now
	suspect []string // handlers that had it since it was last found whole
}

// NewMutationDetector returns a detector that knows no objects.
func NewMutationDetector[T cache.Object]() *MutationDetector[T] {
	return &MutationDetector[T]{seed: maphash.MakeSeed(), objects: make(map[address]*object), sweepAt: 1024}
}

// DetectMutations returns a detector that audits at the end of a test, and fails it for each mutation.
func DetectMutations[T cache.Object](tb testing.TB) *MutationDetector[T] {
	tb.Helper()
	d := NewMutationDetector[T]()
	tb.Cleanup(func() {
		tb.Helper()
		for _, mutation := range d.Audit() {
			tb.Error(mutation)
		}
	})
	return d
}

// Transform returns a transform that takes note of each object. It comes last in a chain, since it takes what later
// transforms do for mutations. Objects that are not pointers to structs, and nil, pass unnoticed.
func (d *MutationDetector[T]) Transform() cache.Transform[T] {
	return func(obj T) (T, error) {
		if p := pointer(obj); p != nil {
			d.add(p, obj)
		}
		return obj, nil
	}
}

// Handler returns a handler that calls another one and looks at the event's objects before and after it. Mutations that it
// finds are among those that [MutationDetector.Audit] returns. Looking also happens when the handler panics.
func (d *MutationDetector[T]) Handler(name string, handler cache.Handler[T]) cache.Handler[T] {
	return func(ctx context.Context, event cache.Event[T]) {
		d.lend(event.Object, name)
		defer d.takeBack(event.Object, name)
		d.lend(event.Old, name)
		defer d.takeBack(event.Old, name)
		handler(ctx, event)
	}
}

// Audit looks at all objects that are still in memory, whether they are in the cache or somebody else holds them, and
// returns all mutations that were ever found, each once.
func (d *MutationDetector[T]) Audit() []Mutation {
	for p, o := range d.snapshot() {
		if b := p.Value(); b != nil {
			d.check(o, fromPointer[T](b))
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sweepLocked()
	return slices.Clone(d.mutations)
}

// Len returns how many objects are known, some of which may be garbage already.
func (d *MutationDetector[T]) Len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.objects)
}

// add takes note of an object. One that is known already is cached, and is looked at as before.
func (d *MutationDetector[T]) add(p *byte, obj T) {
	if o := d.find(obj); o != nil {
		d.check(o, obj)
		return
	}
	o := &object{
		key: cache.KeyOf(obj), resourceVersion: obj.GetResourceVersion(),
		digest: firstDigest(d.seed, reflect.ValueOf(obj)),
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.objects[weak.Make(p)] = o
	if len(d.objects) >= d.sweepAt {
		d.sweepLocked()
	}
}

// sweepLocked drops what is garbage, and next when there is twice as much as is left.
func (d *MutationDetector[T]) sweepLocked() {
	for p := range d.objects {
		if p.Value() == nil {
			delete(d.objects, p)
		}
	}
	d.sweepAt = max(2*len(d.objects), 1024)
}

func (d *MutationDetector[T]) snapshot() map[address]*object {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.objects)
}

// find returns what is known of an object, nil if it is unknown.
func (d *MutationDetector[T]) find(obj T) *object {
	p := pointer(obj)
	if p == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.objects[weak.Make(p)]
}

// lend takes note that a handler has an object from now on.
func (d *MutationDetector[T]) lend(obj T, name string) {
	o := d.find(obj)
	if o == nil {
		return
	}
	d.check(o, obj)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.holders = append(o.holders, name)
	o.suspect = append(o.suspect, name)
}

func (d *MutationDetector[T]) takeBack(obj T, name string) {
	o := d.find(obj)
	if o == nil {
		return
	}
	d.check(o, obj)
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := slices.Index(o.holders, name); i >= 0 {
		o.holders = slices.Delete(o.holders, i, i+1)
	}
	o.suspect = slices.Clone(o.holders) // the object was whole just now, or is reported
}

// check compares an object with what it was at the last look, and reports what differs.
func (d *MutationDetector[T]) check(o *object, obj T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	v := reflect.ValueOf(obj)
	now := digestOf(d.seed, v)
	if slices.Equal(now, o.digest) {
		return
	}
	found := Mutation{Key: o.key, ResourceVersion: o.resourceVersion, Fields: o.digest.changes(d.seed, v)}
	found.Handlers = slices.Compact(slices.Sorted(slices.Values(o.suspect)))
	o.digest = now
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mutations = append(d.mutations, found)
}

// pointer returns where an object is; nil if it is nil, or T no pointer to a struct.
func pointer[T cache.Object](obj T) *byte {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct || t.Elem().Size() == 0 {
		return nil
	}
	return (*byte)(reflect.ValueOf(obj).UnsafePointer())
}

// fromPointer returns the object at p.
func fromPointer[T cache.Object](p *byte) T {
	return reflect.NewAt(reflect.TypeFor[T]().Elem(), unsafe.Pointer(p)).Interface().(T)
}
