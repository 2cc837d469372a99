package cache

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
)

// A server is the naive model: the truth at every moment, and what each event stream may say about it.
type server struct {
	version int
	uids    int
	epoch   int
	objects map[string]cm
	past    map[string][]cm          // of each living object all its states in this epoch
	history map[string][]string      // of each name every state it was in, as "uid@version", deletions as "uid gone"
	moments map[[2]int]map[string]cm // by epoch and version
}

func newServer() *server {
	return &server{
		version: 1, objects: map[string]cm{}, past: map[string][]cm{}, history: map[string][]string{}, moments: map[[2]int]map[string]cm{{0, 1}: {}},
	}
}

func (s *server) note() { s.moments[[2]int{s.epoch, s.version}] = maps.Clone(s.objects) }

func (s *server) create(name string, bad bool) cm {
	s.uids++
	s.past[name] = nil
	return s.put(name, types.UID("uid"+strconv.Itoa(s.uids)), bad)
}

func (s *server) put(name string, uid types.UID, bad bool) cm {
	s.version++
	obj := configMap(name, uid, strconv.Itoa(s.version))
	if bad {
		obj.Labels["bad"] = "yes"
	}
	s.objects[name] = obj
	s.past[name] = append(s.past[name], obj)
	s.history[name] = append(s.history[name], stateOf(obj))
	s.note()
	return obj
}

// remove returns the final state, which carries the version of the deletion.
func (s *server) remove(name string) cm {
	s.version++
	last := s.objects[name]
	delete(s.objects, name)
	s.history[name] = append(s.history[name], goneState(last.UID))
	s.note()
	final := configMap(name, last.UID, strconv.Itoa(s.version))
	final.Labels["bad"] = last.Labels["bad"]
	return final
}

// restore makes the server what it was at a version of this epoch.
func (s *server) restore(version int) {
	backup := s.moments[[2]int{s.epoch, version}]
	for name, obj := range s.objects {
		if was := backup[name]; was == nil || was.UID != obj.UID {
			s.history[name] = append(s.history[name], goneState(obj.UID))
		}
	}
	s.epoch++
	s.version, s.objects, s.past = version, maps.Clone(backup), map[string][]cm{}
	for name, obj := range s.objects {
		s.history[name] = append(s.history[name], stateOf(obj))
		s.past[name] = []cm{obj}
	}
	s.note()
}

func (s *server) list() []cm {
	var list []cm
	for _, name := range slices.Sorted(maps.Keys(s.objects)) {
		list = append(list, s.objects[name].DeepCopy())
	}
	return list
}

// bad is the transform of the model.
func bad(obj cm) (cm, error) {
	if obj.Labels["bad"] != "" {
		return nil, errors.New("bad")
	}
	return obj, nil
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// A replayer builds a map from events alone and checks that each event fits what it knows.
type replayer struct {
	t       failer
	objects map[types.NamespacedName]cm
	seen    map[string][]string
	added   map[types.UID]int
}

func newReplayer(t failer) *replayer {
	return &replayer{t, map[types.NamespacedName]cm{}, map[string][]string{}, map[types.UID]int{}}
}

func (r *replayer) apply(event Event[cm]) {
	known, exists := r.objects[event.Key]
	switch {
	case event.Type == Added && exists:
		r.t.Fatalf("%q added, but known as %s", event.Key, stateOf(known))
	case event.Type != Added && !exists:
		r.t.Fatalf("%q %s, but not known", event.Key, event.Type)
	case event.Type == Updated && event.Old != known:
		r.t.Fatalf("%q updated from %s, but known as %s", event.Key, stateOf(event.Old), stateOf(known))
	case event.Type != Updated && event.Old != nil:
		r.t.Fatalf("%q %s, but with an old state", event.Key, event.Type)
	case exists && known.UID != event.Object.UID:
		r.t.Fatalf("%q %s with UID %s, but known with %s", event.Key, event.Type, event.Object.UID, known.UID)
	case event.Resync && stateOf(event.Object) != stateOf(known):
		r.t.Fatalf("%q told again as %s, but known as %s", event.Key, stateOf(event.Object), stateOf(known))
	}
	name := event.Key.Name
	if event.Type == Deleted {
		delete(r.objects, event.Key)
		r.seen[name] = append(r.seen[name], goneState(event.Object.UID))
		return
	}
	if event.Type == Added {
		r.added[event.Object.UID]++
	}
	r.objects[event.Key] = event.Object
	if !event.Resync {
		r.seen[name] = append(r.seen[name], stateOf(event.Object))
	}
}

// check compares what the events said with the cache and with history.
func (r *replayer) check(s *server, content Snapshot[cm]) {
	if len(r.objects) != content.Len() {
		r.t.Fatalf("events replayed give %d objects, the cache has %d", len(r.objects), content.Len())
	}
	for obj := range content.All() {
		if r.objects[KeyOf(obj)] != obj {
			r.t.Fatalf("events replayed give another %q than the cache has, %s", obj.Name, stateOf(obj))
		}
	}
	for name, seen := range r.seen {
		if !isSubsequence(seen, s.history[name]) {
			r.t.Fatalf("%q was seen as %v, which is no subsequence of its history %v", name, seen, s.history[name])
		}
	}
	for uid, added := range r.added {
		if added > 1+s.epoch {
			r.t.Fatalf("%s was added %d times in %d epochs", uid, added, 1+s.epoch)
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

// The whole way of an event without its goroutines. Whatever happens in between, the cache is what the server was at the
// version it claims, events replayed give the cache, and what waits is bounded.
func TestPipelineAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.Bool().Draw(t, "unchanged"))
		steps := rapid.IntRange(1, 300).Draw(t, "steps")
		for range steps {
			w.step(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "choice") })
		}
		w.finish()
	})
}

// A program of bytes: each is a choice.
func FuzzPipeline(f *testing.F) {
	f.Add([]byte("disconnect, relist, write, join, and take all that is there"))
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) > 4000 {
			t.Skip()
		}
		w := newWorld(t, len(program)%2 == 0)
		for len(program) > 0 {
			w.step(func(n int) int {
				if len(program) == 0 {
					return 0
				}
				choice := int(program[0]) % n
				program = program[1:]
				return choice
			})
		}
		w.finish()
	})
}

var someTime = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
