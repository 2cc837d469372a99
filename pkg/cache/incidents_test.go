package cache

import (
	"fmt"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/protocol"
)

// What a request survives is sent over HTTP, between two events that have to arrive, in one and the same request.
func TestIncidents(t *testing.T) {
	undecodable := func(version string) string {
		return fmt.Sprintf(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"ns","uid":"u","resourceVersion":%q},"data":5}`, version)
	}
	type look func(t *testing.T, i *Informer[*corev1.ConfigMap])
	cached := func(name, version string) look {
		return func(t *testing.T, i *Informer[*corev1.ConfigMap]) {
			t.Helper()
			obj, ok := i.Indexer().Get(nsKey(name))
			if got := ok && obj.ResourceVersion == version; !got && version != "" || ok && version == "" {
				t.Errorf("%s is in the cache: %v, want it in version %q", name, ok, version)
			}
		}
	}
	skipped := func(t *testing.T, i *Informer[*corev1.ConfigMap]) {
		t.Helper()
		if got := i.Status().Skipped; got != 1 {
			t.Errorf("%d were skipped, want 1", got)
		}
	}
	quarantined := func(t *testing.T, i *Informer[*corev1.ConfigMap]) {
		t.Helper()
		got := i.Indexer().Quarantined()
		if len(got) != 1 || got[0].Key != nsKey("a") || got[0].ResourceVersion != "11" || got[0].Err == nil {
			t.Errorf("quarantined is %v, want a@11 with its error", got)
		}
	}
	refused := func(t *testing.T, i *Informer[*corev1.ConfigMap]) {
		t.Helper()
		if got := i.Status().Refused; got != 1 {
			t.Errorf("%d were refused, want 1", got)
		}
	}
	tests := map[string]struct {
		event string
		looks []look
	}{
		"undecodable":          {sent("MODIFIED", undecodable("11")), []look{cached("a", "5"), quarantined}},
		"undecodable-deletion": {sent("DELETED", undecodable("11")), []look{cached("a", "")}},
		"unknown-event":        {sent("UNHEARD", configMapJSON("a", "11")), []look{cached("a", "5"), skipped}},
		"wrong-kind":           {sent("MODIFIED", `{"kind":"Secret","apiVersion":"v1","metadata":{"name":"a","namespace":"ns","uid":"u","resourceVersion":"11"}}`), []look{cached("a", "5"), quarantined}},
		"table":                {sent("MODIFIED", `{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"11"}}`), []look{cached("a", "5"), skipped}},
		"nameless":             {sent("ADDED", `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"namespace":"ns","resourceVersion":"11"}}`), []look{skipped}},
		"no-version":           {bookmarkJSON(""), []look{skipped}},
		"older-event":          {sent("MODIFIED", configMapJSON("a", "4")), []look{cached("a", "5"), refused}},
	}
	for _, incident := range protocol.Incidents() {
		t.Run(incident.ID, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				test, ok := tests[incident.ID]
				if !ok {
					t.Fatal("nothing plays it")
				}
				server := newByteServer(t, stream(
					sent("ADDED", configMapJSON("a", "5")), initialEventsEnd("10"), test.event, sent("ADDED", configMapJSON("b", "12")),
				).open())
				i, stop := server.run(t, Config{})
				defer stop()
				if err := i.Indexer().WaitUntil(t.Context(), "12"); err != nil {
					t.Fatal(err)
				}
				for _, look := range append(test.looks, cached("b", "12")) {
					look(t, i)
				}
				if status := i.Status(); status.Watches != 1 || len(status.Endings) > 0 {
					t.Errorf("requests have ended: %v", status.Endings)
				}
			})
		})
	}
}

// What can't be identified in a list may be any object: none is taken for deleted.
func TestAnUnidentifiedObjectInAList(t *testing.T) {
	synctest.Test(t, testAnUnidentifiedObjectInAList)
}

func testAnUnidentifiedObjectInAList(t *testing.T) {
	gone := sent("ERROR", statusJSON(410, "Expired", ""))
	server := newByteServer(t,
		stream(sent("ADDED", configMapJSON("a", "5")), initialEventsEnd("10"), gone), refusal(422, "Invalid", ""),
		listOf("12", "", `{"metadata":5}`, configMapJSON("b", "11")))
	i, stop := server.run(t, Config{})
	defer stop()
	if err := i.Indexer().WaitUntil(t.Context(), "12"); err != nil {
		t.Fatal(err)
	}
	if _, ok := i.Indexer().Get(nsKey("a")); !ok || i.Indexer().Len() != 2 || i.Status().Skipped != 1 {
		t.Errorf("%d objects are cached, a among them: %v; skipped: %d", i.Indexer().Len(), ok, i.Status().Skipped)
	}
}

// An object that can't be decoded when everything is listed keeps nothing else from being there.
func TestOneUndecodableObjectInAList(t *testing.T) {
	bad := `{"metadata":{"name":"bad","namespace":"ns","uid":"u","resourceVersion":"4"},"data":5}`
	for name, answers := range map[string][]answer{
		"list":           {refusal(422, "Invalid", ""), listOf("10", "", configMapJSON("a", "5"), bad, configMapJSON("b", "6"))},
		"initial events": {stream(sent("ADDED", configMapJSON("a", "5")), sent("ADDED", bad), sent("ADDED", configMapJSON("b", "6")), initialEventsEnd("10")).open()},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i, stop := newByteServer(t, answers...).run(t, Config{})
				defer stop()
				if err := i.WaitForSync(t.Context()); err != nil {
					t.Fatal(err)
				}
				if i.Indexer().Len() != 2 {
					t.Errorf("%d objects are cached, want 2", i.Indexer().Len())
				}
				got := i.Indexer().Quarantined()
				if len(got) != 1 || got[0].Key != nsKey("bad") || got[0].ResourceVersion != "4" || got[0].Err == nil {
					t.Errorf("quarantined is %v, want bad@4", got)
				}
			})
		})
	}
}
