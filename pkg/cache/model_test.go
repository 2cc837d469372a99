package cache

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
)

// A server is the naive model: the truth at every moment, and what each event stream may say about it.
type server struct {
	version int
	objects map[string]*corev1.ConfigMap
	history map[string][]string // of each name every state it was in, as "uid@version", deletions as "uid gone"
}

func newServer() *server {
	return &server{objects: map[string]*corev1.ConfigMap{}, history: map[string][]string{}}
}

func (s *server) create(name string) *corev1.ConfigMap {
	return s.put(name, types.UID("uid"+strconv.Itoa(s.version+1)))
}

func (s *server) put(name string, uid types.UID) *corev1.ConfigMap {
	s.version++
	obj := configMap(name, uid, strconv.Itoa(s.version))
	s.objects[name] = obj
	s.history[name] = append(s.history[name], stateOf(obj))
	return obj
}

// remove returns the final state, which carries the version of the deletion.
func (s *server) remove(name string) *corev1.ConfigMap {
	s.version++
	last := s.objects[name]
	delete(s.objects, name)
	s.history[name] = append(s.history[name], goneState(last.UID))
	return configMap(name, last.UID, strconv.Itoa(s.version))
}

func (s *server) list() []*corev1.ConfigMap { return slices.Collect(maps.Values(s.objects)) }

func configMap(name string, uid types.UID, version string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: "ns", Name: name, UID: uid, ResourceVersion: version, Labels: map[string]string{"version": version},
	}}
}

func stateOf(obj *corev1.ConfigMap) string { return fmt.Sprintf("%s@%s", obj.UID, obj.ResourceVersion) }
func goneState(uid types.UID) string       { return string(uid) + " gone" }

// A replayer builds a map from events alone and checks that each event fits what it knows.
type replayer struct {
	t       *rapid.T
	objects map[types.NamespacedName]*corev1.ConfigMap
	seen    map[string][]string
}

func newReplayer(t *rapid.T) *replayer {
	return &replayer{t: t, objects: map[types.NamespacedName]*corev1.ConfigMap{}, seen: map[string][]string{}}
}

func (r *replayer) apply(event Event[*corev1.ConfigMap]) {
	known, exists := r.objects[event.Key]
	switch {
	case event.Type == Added && exists:
		r.t.Fatalf("%q added, but known as %s", event.Key, stateOf(known))
	case event.Type != Added && !exists:
		r.t.Fatalf("%q %s, but not known", event.Key, event.Type)
	case event.Type == Updated && event.Old != known:
		r.t.Fatalf("%q updated from %s, but known as %s", event.Key, stateOf(event.Old), stateOf(known))
	case exists && known.UID != event.Object.UID:
		r.t.Fatalf("%q %s with UID %s, but known with %s", event.Key, event.Type, event.Object.UID, known.UID)
	}
	if event.Type == Deleted {
		delete(r.objects, event.Key)
		r.seen[event.Key.Name] = append(r.seen[event.Key.Name], goneState(event.Object.UID))
		return
	}
	r.objects[event.Key] = event.Object
	r.seen[event.Key.Name] = append(r.seen[event.Key.Name], stateOf(event.Object))
}

// check compares what the events said with the truth.
func (r *replayer) check(s *server) {
	if len(r.objects) != len(s.objects) {
		r.t.Fatalf("events replayed give %d objects, the server has %d", len(r.objects), len(s.objects))
	}
	for name, want := range s.objects {
		got := r.objects[KeyOf(want)]
		if got == nil || stateOf(got) != stateOf(want) {
			r.t.Fatalf("events replayed give another %q than the server has, %s", name, stateOf(want))
		}
	}
	for name, seen := range r.seen {
		if !isSubsequence(seen, s.history[name]) {
			r.t.Fatalf("%q was seen as %v, which is no subsequence of its history %v", name, seen, s.history[name])
		}
	}
}

func isSubsequence(part, whole []string) bool {
	for _, state := range whole {
		if len(part) > 0 && part[0] == state {
			part = part[1:]
		}
	}
	return len(part) == 0
}

// The whole way of an event without its goroutines: a producer, the buffer, the store and two subscribers, one of them
// slow. Whatever happens in between, events replayed give the store, and the store what the server has.
func TestPipelineAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newServer()
		indexer := NewIndexer[*corev1.ConfigMap]()
		byVersion := AddIndex(indexer, "version", func(obj *corev1.ConfigMap) ([]string, error) {
			return []string{obj.Labels["version"]}, nil
		})
		fifo := NewDeltaFIFO(indexer)
		slow, slowSeen, fastSeen := newBacklog[*corev1.ConfigMap](), newReplayer(t), newReplayer(t)
		name := rapid.SampledFrom([]string{"a", "b", "c"})
		connected := true

		apply := func() {
			batch, _ := fifo.swap()
			for _, event := range indexer.Apply(batch) {
				fastSeen.apply(event)
				slow.push(event)
			}
		}
		catchUp := func() {
			for event := range slow.all() {
				slowSeen.apply(event)
			}
			slow = newBacklog[*corev1.ConfigMap]()
		}
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				name := name.Draw(t, "name")
				old, exists := s.objects[name]
				switch {
				case !exists:
					if obj := s.create(name); connected {
						fifo.Add(obj)
					}
				case rapid.Bool().Draw(t, "delete"):
					if obj := s.remove(name); connected {
						fifo.Delete(obj)
					}
				default:
					if obj := s.put(name, old.UID); connected {
						fifo.Update(obj)
					}
				}
			},
			"disconnect": func(*rapid.T) { connected = false },
			"relist": func(*rapid.T) {
				fifo.Replace(s.list(), strconv.Itoa(s.version))
				connected = true
			},
			"apply":   func(*rapid.T) { apply() },
			"deliver": func(*rapid.T) { catchUp() },
			"": func(t *rapid.T) {
				count := 0
				for range slow.all() {
					count++
				}
				if count != slow.count || count > 2*3 || len(slow.keys.entries) > 2*slow.keys.len()+1 {
					t.Fatalf("the backlog has %d events in %d entries for %d keys, and counts %d",
						count, len(slow.keys.entries), slow.keys.len(), slow.count)
				}
			},
		})
		if !connected {
			fifo.Replace(s.list(), strconv.Itoa(s.version))
		}
		apply()
		catchUp()
		fastSeen.check(s)
		slowSeen.check(s)
		for _, want := range s.objects {
			if got, ok := indexer.Get(KeyOf(want)); !ok || stateOf(got) != stateOf(want) {
				t.Fatalf("the store does not have %q as the server does", want.Name)
			}
			if got := slices.Collect(byVersion.Lookup(want.ResourceVersion)); len(got) != 1 || got[0].Name != want.Name {
				t.Fatalf("the index does not find %q", want.Name)
			}
		}
		if values := len(slices.Collect(byVersion.Values())); indexer.Len() != len(s.objects) || values != len(s.objects) {
			t.Fatalf("%d objects and %d index values, want %d", indexer.Len(), values, len(s.objects))
		}
		if s.version > 0 && indexer.ResourceVersion() != strconv.Itoa(s.version) {
			t.Fatalf("the store is at version %q, the server at %d", indexer.ResourceVersion(), s.version)
		}
	})
}
