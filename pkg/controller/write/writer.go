package write

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
)

// A Writer writes the objects of one kind. All methods may be called concurrently. Create one with [New] or
// [NewClusterScoped].
//
// What a method returns may be the cached object: it is not to be changed.
type Writer[T cache.Object] struct {
	open       func(namespace string) Client[T]
	namespaced bool
	kind       string // for errors
	view       View[T]
	config     Config
	applied    applied
	counts     counts
}

// A View is what the objects are read from, and where writes are waited for: a [cache.Indexer].
type View[T any] interface {
	Get(key types.NamespacedName) (T, bool)
	controller.View[T]
}

// Config configures a [Writer]. The zero value works for everything but [Writer.Apply].
type Config struct {
	// FieldManager names the writer in the managed fields of what it writes. Apply needs it. Elsewhere the API server
	// defaults it to the first part of the user agent.
	FieldManager string

	// Force makes Apply take fields over that another manager owns with another value, which is what a controller that is
	// the authority for them should do. Without it such an Apply is a [ConflictError].
	Force bool

	// Attempts is how often a change that meets a conflict is sent, the first included, and a generated name whose answer is
	// lost. Before the second the object is read from the API server at once, before each further one after a wait that grows
	// from 10 ms to 1 s, with jitter. Defaults to 6; 1 means that a conflict is returned at once.
	Attempts int

	// Remember is for how many configurations Apply remembers that they have been applied. Beyond that, those forgotten are
	// sent again. Defaults to 10 000; negative means that every Apply is sent.
	Remember int

	// Clock times the waits. Defaults to the real clock.
	Clock clock.Clock
}

func (c Config) withDefaults() Config {
	c.Attempts = cmp.Or(c.Attempts, 6)
	c.Remember = cmp.Or(c.Remember, 10_000)
	if c.Clock == nil {
		c.Clock = clock.RealClock{}
	}
	return c
}

// New returns a writer for a kind that has namespaces, from what opens a client for one: clientset.AppsV1().Deployments, or
// [Dynamic] of a dynamic client. The view is the Indexer of the informer that the controller reads from; with a nil one,
// objects are read from the API server, and no write is waited for.
func New[T cache.Object, C Client[T]](open func(namespace string) C, view View[T], config Config) *Writer[T] {
	w := newWriter(func(namespace string) Client[T] { return open(namespace) }, view, config)
	w.namespaced = true
	return w
}

// NewClusterScoped is [New] for a kind that has no namespaces, from its client: clientset.CoreV1().Namespaces(), or
// [Dynamic] of a dynamic client, opened for the empty namespace.
func NewClusterScoped[T cache.Object](client Client[T], view View[T], config Config) *Writer[T] {
	return newWriter(func(string) Client[T] { return client }, view, config)
}

func newWriter[T cache.Object](open func(string) Client[T], view View[T], config Config) *Writer[T] {
	config = config.withDefaults()
	return &Writer[T]{
		open:    open,
		kind:    strings.TrimPrefix(reflect.TypeFor[T]().String(), "*"),
		view:    view,
		config:  config,
		applied: applied{limit: config.Remember},
	}
}

// Status returns what has been done so far.
func (w *Writer[T]) Status() Status { return w.counts.status() }

// cached returns what the view has.
func (w *Writer[T]) cached(key types.NamespacedName) (T, bool) {
	if w.view == nil {
		var none T
		return none, false
	}
	return w.view.Get(key)
}

// An Effect says what a write has done.
type Effect uint8

// The effects of writes.
const (
	// Unchanged means that the object was as it should be: nothing was sent, or the API server found nothing to change.
	Unchanged Effect = iota
	// Created means that the object did not exist.
	Created
	// Updated means that the object was changed.
	Updated
)

func (e Effect) String() string {
	switch e {
	case Created:
		return "created"
	case Updated:
		return "updated"
	default:
		return "unchanged"
	}
}

// effectOn compares what was with what a write has returned. The API server leaves the version of an object alone that it
// finds nothing to change in; and that of one which is gone now, because it was deleted and has lost its last finalizer.
func effectOn[T cache.Object](before, after T) Effect {
	gone := after.GetDeletionTimestamp() != nil && len(after.GetFinalizers()) == 0
	if before.GetResourceVersion() != "" && before.GetResourceVersion() == after.GetResourceVersion() && !gone {
		return Unchanged
	}
	return Updated
}

var errNil = errors.New("the object is nil")

// check says what is wrong with an object that is to be written.
func (w *Writer[T]) check(obj T) error {
	var none T
	if obj == none {
		return errNil
	}
	return w.checkKey(cache.KeyOf(obj))
}

func (w *Writer[T]) checkKey(key types.NamespacedName) error {
	if key.Name == "" {
		return errors.New("metadata.name is empty")
	}
	return w.checkNamespace(key.Namespace)
}

func (w *Writer[T]) checkNamespace(namespace string) error {
	switch {
	case w.namespaced && namespace == "":
		return errors.New("metadata.namespace is empty; the kind has namespaces, else see NewClusterScoped")
	case !w.namespaced && namespace != "":
		return fmt.Errorf("metadata.namespace is %q; the kind has no namespaces, else see New", namespace)
	}
	return nil
}

// keyOf is [cache.KeyOf], also of nil.
func keyOf[T cache.Object](obj T) types.NamespacedName {
	var none T
	if obj == none {
		return types.NamespacedName{}
	}
	return cache.KeyOf(obj)
}

// failed says what has failed, on which object.
func (w *Writer[T]) failed(verb string, key types.NamespacedName, err error) error {
	return fmt.Errorf("write: %s %s %q: %w", verb, w.kind, klog.KRef(key.Namespace, key.Name), err)
}
