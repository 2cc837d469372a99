package events

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	eventsapi "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	eventsv1 "k8s.io/client-go/kubernetes/typed/events/v1"
)

// A server keeps Events as an API server does, with the rules that pkg/apis/core/validation/events.go of k8s.io/kubernetes
// has for events.k8s.io/v1.
type server struct {
	mu     sync.Mutex
	events map[types.NamespacedName]*eventsapi.Event
	verbs  []string // of all requests, in order: "create web", "patch web"

	// fail is asked before each request. Nil fails none.
	fail func(verb string, n int) failure
}

// A failure is the error of a request. It is only half of one if the request is done all the same.
type failure struct {
	err error
	did bool
}

func newServer() *server { return &server{events: make(map[types.NamespacedName]*eventsapi.Event)} }

func (s *server) Events(namespace string) eventsv1.EventInterface {
	return &namespaced{server: s, namespace: namespace}
}

// namespaced has the methods that the recorder needs. The others panic.
type namespaced struct {
	eventsv1.EventInterface
	*server

	namespace string
}

func (n *namespaced) Create(ctx context.Context, event *eventsapi.Event, _ metav1.CreateOptions) (*eventsapi.Event, error) {
	return event, n.request(ctx, "create", event.Regarding.Name, func() error { return n.create(event) })
}

func (n *namespaced) Patch(ctx context.Context, name string, kind types.PatchType, data []byte, _ metav1.PatchOptions, _ ...string) (*eventsapi.Event, error) {
	if kind != types.MergePatchType {
		return nil, apierrors.NewBadRequest("no merge patch")
	}
	regarding, _, _ := strings.Cut(name, ".")
	return &eventsapi.Event{}, n.request(ctx, "patch", regarding, func() error { return n.patch(name, data) })
}

func (s *server) request(ctx context.Context, verb, regarding string, do func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var f failure
	if s.fail != nil {
		f = s.fail(verb, len(s.verbs))
	}
	s.verbs = append(s.verbs, verb+" "+regarding)
	if errors.Is(f.err, errHang) {
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return ctx.Err()
	}
	if f.err != nil && !f.did {
		return f.err
	}
	return errors.Join(do(), f.err)
}

var errHang = errors.New("no answer at all")

var resource = schema.GroupResource{Group: "events.k8s.io", Resource: "events"}

func (n *namespaced) create(event *eventsapi.Event) error {
	key := types.NamespacedName{Namespace: n.namespace, Name: event.Name}
	switch {
	case n.events[key] != nil:
		return apierrors.NewAlreadyExists(resource, event.Name)
	case event.Namespace != n.namespace:
		return apierrors.NewBadRequest("the namespace is another")
	}
	if err := valid(event); err != nil {
		return apierrors.NewInvalid(schema.GroupKind{Group: "events.k8s.io", Kind: "Event"}, event.Name, nil)
	}
	n.events[key] = event.DeepCopy()
	return nil
}

func (n *namespaced) patch(name string, data []byte) error {
	event := n.events[types.NamespacedName{Namespace: n.namespace, Name: name}]
	if event == nil {
		return apierrors.NewNotFound(resource, name)
	}
	patched := event.DeepCopy()
	if err := json.Unmarshal(data, patched); err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	if err := errors.Join(valid(patched), onlySeriesChanged(event, patched)); err != nil {
		return apierrors.NewInvalid(schema.GroupKind{Group: "events.k8s.io", Kind: "Event"}, event.Name, nil)
	}
	*event = *patched
	return nil
}

func valid(event *eventsapi.Event) error {
	wrong := map[string]bool{
		"name":      len(validation.IsDNS1123Subdomain(event.Name)) > 0,
		"namespace": event.Regarding.Namespace == "" && event.Namespace != "default" || event.Regarding.Namespace != "" && event.Regarding.Namespace != event.Namespace,
		"time":      event.EventTime.IsZero(),
		"type":      event.Type != "Normal" && event.Type != "Warning",
		"series":    event.Series != nil && (event.Series.Count < 2 || event.Series.LastObservedTime.IsZero()),
		"who":       len(validation.IsQualifiedName(event.ReportingController)) > 0 || event.ReportingInstance == "" || len(event.ReportingInstance) > 128,
		"action":    event.Action == "" || len(event.Action) > 128,
		"reason":    event.Reason == "" || len(event.Reason) > 128,
		"note":      len(event.Note) > 1024,
	}
	for field, wrong := range wrong {
		if wrong {
			return fmt.Errorf("%s of %+v", field, event)
		}
	}
	return nil
}

// onlySeriesChanged holds for all the rest is immutable.
func onlySeriesChanged(from, to *eventsapi.Event) error {
	from, to = from.DeepCopy(), to.DeepCopy()
	from.Series, to.Series = nil, nil
	before, _ := json.Marshal(from)
	after, _ := json.Marshal(to)
	if !bytes.Equal(before, after) {
		return fmt.Errorf("%s was changed to %s", before, after)
	}
	return nil
}

// requests returns what was asked for so far.
func (s *server) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.verbs...)
}

// counts returns the note of each Event with how often it happened.
func (s *server) counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := make(map[string]int)
	for _, event := range s.events {
		counts[event.Note] += count(event)
	}
	return counts
}

func count(event *eventsapi.Event) int {
	if event.Series == nil {
		return 1
	}
	return int(event.Series.Count)
}

// one returns the only Event.
func (s *server) one() *eventsapi.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, event := range s.events {
		if len(s.events) == 1 {
			return event.DeepCopy()
		}
	}
	panic(fmt.Sprintf("%d Events, want one", len(s.events)))
}
