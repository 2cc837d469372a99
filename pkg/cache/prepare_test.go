package cache

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/clock"
)

// A promptStream sends initial events, each after the transforms are through with the one before.
type promptStream struct {
	events      []StreamEvent[cm]
	sent        int
	transformed *int // objects
	late        int
}

func (s *promptStream) Close() {}

func (s *promptStream) Next() (StreamEvent[cm], error) {
	if *s.transformed < s.sent {
		s.late++
	}
	if s.sent == len(s.events) {
		return StreamEvent[cm]{}, io.EOF
	}
	s.sent++
	return s.events[s.sent-1], nil
}

// Else all objects of a list would be in memory as they came, however little the transforms leave of them.
func TestInitialEventsAreTransformedAsTheyCome(t *testing.T) {
	transformed := 0
	stream := &promptStream{transformed: &transformed}
	for n := range 5 {
		stream.events = append(stream.events, StreamEvent[cm]{watch.Added, configMap("c"+strconv.Itoa(n), "u", strconv.Itoa(n+1))})
	}
	end := configMap("", "", "9")
	end.Annotations = map[string]string{metav1.InitialEventsAnnotationKey: "true"}
	stream.events = append(stream.events, StreamEvent[cm]{watch.Bookmark, end})
	unlucky := errors.New("unlucky")
	sink := &ingest[cm]{NewDeltaFIFO(NewIndexer[cm]()), []Transform[cm]{func(obj cm) (cm, error) {
		transformed++
		obj.Labels = nil
		if obj.Name == "c3" {
			return nil, unlucky
		}
		return obj, nil
	}}, newQuarantine(nil), ""}
	r := NewReflector(newSimulator().in(""), sink, Config{})
	collected := collection[cm]{reflector: r}
	d := newDeadline(t.Context(), clock.RealClock{})
	version, err := collected.initialEvents(d, stream)
	if err != nil || version != "9" || stream.late > 0 {
		t.Fatalf("at %q, %v; %d times an object was not transformed before the next came", version, err, stream.late)
	}
	collected.replace(r.machine.First(), version)
	if transformed != 5 {
		t.Errorf("5 objects were transformed %d times", transformed)
	}
	batch, _ := sink.fifo.swap()
	events := NewIndexer[cm]().Apply(batch)
	if len(events) != 4 || slices.ContainsFunc(events, func(e Event[cm]) bool { return e.Object.Labels != nil }) {
		t.Errorf("%d events, want 4 of transformed objects", len(events))
	}
	if list := sink.quarantine.list(); len(list) != 1 || list[0].Key.Name != "c3" || !errors.Is(list[0].Err, unlucky) {
		t.Errorf("in quarantine are %v, want c3", list)
	}
}
