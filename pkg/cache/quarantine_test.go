package cache

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"k8s.io/klog/v2/ktesting"
)

const secret = "s3cret"

// spoil is a transform that fails, in one of many ways, for objects labelled so by the test.
func spoil(obj cm) (cm, error) {
	switch obj.Labels["spoil"] {
	case "error":
		obj.Name = "half done"
		return nil, errors.New("no such field")
	case "panic":
		obj.ResourceVersion = "9999"
		panic(obj.Name)
	case "nil":
		return nil, nil
	case "name":
		obj.Name = "another"
	case "namespace":
		obj.Namespace = "another"
	case "uid":
		obj.UID = "another"
	case "version":
		obj.ResourceVersion = "9999"
	case "another":
		return configMap("another", "u", "1"), nil
	}
	return obj, nil
}

func spoilt(how, name, version string) cm {
	obj := configMap(name, "u", version)
	obj.Labels["spoil"] = how
	obj.Data = map[string]string{"password": secret}
	return obj
}

func (s scene) wantQuarantined(want ...string) {
	s.Helper()
	var got []string
	for _, q := range s.informer.Indexer().Quarantined() {
		got = append(got, fmt.Sprintf("%s %s@%s", q.Index, q.Key, q.ResourceVersion))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.Errorf("quarantined are %q, want %q", got, want)
	}
	if now := s.informer.Status().Quarantined; now != len(want) {
		s.Errorf("the status counts %d quarantined, want %d", now, len(want))
	}
}

func TestATransformThatFailsHarmsNothingElse(t *testing.T) {
	for _, how := range []string{"error", "panic", "nil", "name", "namespace", "uid", "version", "another"} {
		t.Run(how, func(t *testing.T) {
			var seen log
			logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true), ktesting.Verbosity(10)))
			play(t, Config{Logger: logger}, func(s scene) { s.informer.Subscribe("s", seen.handle) }, func(s scene) {
				seen.next(s.T, "Added a@1 initial", "Added b@1 initial")
				s.server.stream.Modify(spoilt(how, "a", "6"))
				synctest.Wait()
				s.wantCached("a", "1")
				s.wantQuarantined(" ns/a@6")
				if got := s.informer.Indexer().ResourceVersion(); got != "6" {
					s.Errorf("the cache is at %s, want 6: it has all there is up to it", got)
				}
				if err := s.informer.Indexer().Quarantined()[0].Err; err == nil || strings.Contains(err.Error(), secret) {
					s.Errorf("the error is %v", err)
				}
				s.update("b", "7")
				s.update("a", "8") // which is fine again
				s.wantQuarantined()
				seen.next(s.T, "Updated b@7", "Updated a@8")

				s.server.stream.Delete(spoilt(how, "a", "9"))
				seen.next(s.T, "Deleted a@8 unseen") // what is handed out went through the transforms
				s.wantQuarantined()

				s.server.stream.Add(spoilt(how, "c", "10"))
				synctest.Wait()
				s.wantCached("c", "")
				s.wantQuarantined(" ns/c@10")
				s.server.stream.Delete(spoilt(how, "c", "11"))
				synctest.Wait()
				s.wantQuarantined()
				seen.next(s.T)
				if got := s.informer.Status(); got.Failures != 2 || got.Refused != 0 {
					s.Errorf("the status is %+v, want 2 failures and nothing refused", got)
				}
			}, spoil)
			if sink, ok := logger.GetSink().(ktesting.Underlier); !ok || strings.Contains(sink.GetBuffer().String(), secret) {
				t.Error("the log has the content of an object")
			}
		})
	}
}

func TestQuarantineAcrossRelists(t *testing.T) {
	var seen log
	play(t, Config{}, func(s scene) { s.informer.Subscribe("s", seen.handle) }, func(s scene) {
		seen.next(s.T, "Added a@1 initial", "Added b@1 initial")
		s.server.relist("8", spoilt("error", "a", "7"), spoilt("panic", "c", "8"), configMap("b", "u", "1"))
		s.wantQuarantined(" ns/a@7", " ns/c@8")
		s.wantCached("a", "1")
		seen.next(s.T)

		s.server.relist("9", configMap("a", "u", "7"), configMap("b", "u", "1")) // the transform can do it now; c is gone
		s.wantQuarantined()
		seen.next(s.T, "Updated a@7")

		another := spoilt("error", "a", "10")
		another.UID = "v"
		s.server.relist("10", another, configMap("b", "u", "1"))
		s.wantQuarantined(" ns/a@10")
		seen.next(s.T, "Deleted a@7 unseen")
	}, spoil)
}

// Of a quarantined object the cache has a version of the epoch before, higher than those to come.
func TestQuarantineAcrossEpochs(t *testing.T) {
	var seen log
	play(t, Config{}, func(s scene) { s.informer.Subscribe("s", seen.handle) }, func(s scene) {
		s.update("a", "100")
		s.server.relist("50", spoilt("error", "a", "40"), configMap("b", "u", "1"))
		s.wantCached("a", "100")
		s.wantQuarantined(" ns/a@40")
		s.update("a", "60")
		s.wantCached("a", "60")
		s.wantQuarantined()
		s.update("a", "55") // of this epoch, and older
		s.wantCached("a", "60")
		if got := s.informer.Status(); got.Refused != 1 || got.Epochs != 1 {
			s.Errorf("the status is %+v, want one refused and one epoch", got)
		}
	}, spoil)
}

// A relist finds an object that can't be used while its version before has not been applied yet.
func TestARelistKeepsAlsoWhatIsOnItsWay(t *testing.T) {
	indexer := NewIndexer[cm]()
	q := newQuarantine(nil)
	fifo := NewDeltaFIFO(indexer)
	in := &ingest[cm]{fifo, []Transform[cm]{spoil}, q, ""}
	in.Add(configMap("a", "u", "1"))
	batch, _ := fifo.swap() // the consumer is at it
	in.Replace(State[cm]{Items: []cm{spoilt("error", "a", "2")}, ResourceVersion: "2"})
	indexer.Apply(batch)
	batch, _ = fifo.swap()
	if events := indexer.Apply(batch); len(events) != 0 {
		t.Errorf("the relist brought %s, but the object exists", entryOf(events[0]))
	}
}

func TestAnIndexErrorKeepsTheObjectOutOfThatIndexOnly(t *testing.T) {
	play(t, Config{}, func(s scene) {
		AddIndex(s.informer.Indexer(), "password", func(obj cm) ([]string, error) {
			if obj.Labels["spoil"] != "" {
				return nil, errors.New("no password")
			}
			return []string{"p"}, nil
		})
	}, func(s scene) {
		s.server.stream.Modify(spoilt("index", "a", "6"))
		synctest.Wait()
		s.wantCached("a", "6")
		s.wantQuarantined("password ns/a@6")
		s.update("a", "7")
		s.wantQuarantined()
		s.server.stream.Modify(spoilt("index", "a", "8"))
		s.delete("a", "9")
		s.wantQuarantined()
		if got := s.informer.Status().Failures; got != 2 {
			s.Errorf("%d failures counted, want 2", got)
		}
	})
}
