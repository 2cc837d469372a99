package events

import (
	"fmt"
	"math"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// A series is an Event and the equal ones that followed.
type series struct {
	happening

	name        string
	first, last time.Time
	tried       time.Time // when the write began that is not yet accepted, or zero
	count       int       // of events
	written     int       // those of them that the server has
	created     bool      // the server has the Event
	uncertain   bool      // it may have it: a request to create it got no answer
	closed      bool      // it takes no more events
	stage       stage
	coolUntil   time.Time
}

// A stage says where a series waits.
type stage int

const (
	idle    stage = iota // for the next event
	ready                // to be written
	writing              // for the server
	cooling              // for the time when it may be written again
)

// combinedPrefix is what the first of the combined notes becomes, as in client-go's EventAggregator.
const combinedPrefix = "(combined from similar events): "

// combine makes the event one of those whose notes are too many.
func (h *happening) combine() {
	h.combinedNote = truncate(combinedPrefix+h.note, maxNote)
	h.note, h.combined = "", true
}

func (s *series) add(now time.Time) {
	s.count++
	s.last = now
}

func (s *series) unwritten() int { return s.count - s.written }

// namespace is where the Event lives: Events of objects without a namespace live in "default".
func (s *series) namespace() string {
	if s.object.Namespace == "" {
		return metav1.NamespaceDefault
	}
	return s.object.Namespace
}

// text is the note of the Event.
func (s *series) text() string {
	if s.combined {
		return s.combinedNote
	}
	return s.note
}

// event returns the Event as it is to be created.
func (s *series) event(config Config) *eventsv1.Event {
	event := &eventsv1.Event{
		ObjectMeta:          metav1.ObjectMeta{Name: s.name, Namespace: s.namespace()},
		EventTime:           micro(s.first),
		ReportingController: config.Controller,
		ReportingInstance:   config.Instance,
		Action:              s.action,
		Reason:              s.reason,
		Regarding:           s.object,
		Related:             s.relatedTo,
		Note:                s.text(),
		Type:                s.kind,
	}
	if s.count > 1 {
		event.Series = s.series()
	}
	return event
}

// patch returns a merge patch to the present count.
func (s *series) patch() []byte {
	last := s.series()
	return fmt.Appendf(nil, `{"series":{"count":%d,"lastObservedTime":%q}}`,
		last.Count, last.LastObservedTime.UTC().Format(metav1.RFC3339Micro))
}

// series returns the count in the API's form, where it begins at 2.
func (s *series) series() *eventsv1.EventSeries {
	return &eventsv1.EventSeries{Count: int32(min(s.count, math.MaxInt32)), LastObservedTime: micro(s.last)}
}

// micro cuts what JSON does not carry: eventTime is immutable.
func micro(t time.Time) metav1.MicroTime { return metav1.MicroTime{Time: t.Truncate(time.Microsecond)} }

// name makes a name for an Event, never the same twice: that of the object and the time. Not all names of objects are names
// for an Event.
func (c *correlator) name(now time.Time, s *series) string {
	c.stamp = max(now.UnixNano(), c.stamp+1)
	name := fmt.Sprintf("%s.%x", s.object.Name, c.stamp)
	if len(validation.IsDNS1123Subdomain(name)) > 0 {
		return fmt.Sprintf("event.%x", c.stamp)
	}
	return name
}
