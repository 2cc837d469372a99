package events

import (
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A tab is an object of a kind that client-go does not know.
type tab struct {
	metav1.TypeMeta
	metav1.ObjectMeta
}

func (t *tab) DeepCopyObject() runtime.Object { return new(*t) }

var tabKind = schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Tab"}

func tabs() *runtime.Scheme {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypeWithName(tabKind, &tab{})
	return scheme
}

func TestKindIsFound(t *testing.T) {
	meta := metav1.ObjectMeta{Namespace: "shop", Name: "x"}
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(tabKind)
	u.SetName("x")
	tests := map[string]struct {
		scheme runtime.ObjectTyper
		object runtime.Object
		want   string
	}{
		"built-in from a cache":        {nil, &corev1.Pod{ObjectMeta: meta}, "v1 Pod"},
		"own from a cache":             {tabs(), &tab{ObjectMeta: meta}, "example.com/v1 Tab"},
		"built-in beside an own":       {tabs(), &corev1.Pod{ObjectMeta: meta}, "v1 Pod"},
		"one that says so":             {nil, &tab{metav1.TypeMeta{APIVersion: "other.com/v2", Kind: "Tab"}, meta}, "other.com/v2 Tab"},
		"unstructured":                 {nil, u, "example.com/v1 Tab"},
		"reference made of the object": {nil, Reference(&tab{ObjectMeta: meta}, tabKind), "example.com/v1 Tab"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := open(t, Config{Scheme: test.scheme})
				p.Normal(test.object, "R", "A", "n")
				synctest.Wait()
				regarding := p.one().Regarding
				want(t, "kind", regarding.APIVersion+" "+regarding.Kind, test.want)
			})
		})
	}
}

func TestEventLivesWhereTheAPIWantsIt(t *testing.T) {
	tests := map[string]struct {
		object            runtime.Object
		namespace, prefix string
	}{
		"namespaced":                 {pod("web"), "shop", "web."},
		"cluster-scoped":             {&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}, "default", "n1."},
		"no name for an Event":       {&corev1.ObjectReference{Kind: "ClusterRole", Name: "system:node"}, "default", "event."},
		"name too long for an Event": {pod(strings.Repeat("x", 250)), "shop", "event."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := open(t, Config{})
				p.Normal(test.object, "R", "A", "n")
				synctest.Wait()
				event := p.one()
				if event.Namespace != test.namespace || !strings.HasPrefix(event.Name, test.prefix) {
					t.Errorf("the Event is %s/%s, want %s/%s...", event.Namespace, event.Name, test.namespace, test.prefix)
				}
			})
		})
	}
}

func TestInvalidEventsAreCounted(t *testing.T) {
	tests := map[string]Event{
		"no object":                {Reason: "R"},
		"typed nil":                {Regarding: (*corev1.Pod)(nil), Reason: "R"},
		"no metadata":              {Regarding: &corev1.PodList{}, Reason: "R"},
		"unknown kind":             {Regarding: &tab{ObjectMeta: metav1.ObjectMeta{Name: "x"}}, Reason: "R"},
		"no name":                  {Regarding: &corev1.Pod{}, Reason: "R"},
		"reference without a kind": {Regarding: &corev1.ObjectReference{Name: "x"}, Reason: "R"},
		"no reason":                {Regarding: pod("web"), Note: "n"},
		"unknown type":             {Regarding: pod("web"), Type: "Error", Reason: "R"},
	}
	for name, event := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := open(t, Config{})
				p.Record(event)
				synctest.Wait()
				want(t, "requests", len(p.requests()), 0)
				p.status(t, map[Cause]int{Invalid: 1})
			})
		})
	}
}

func TestRelatedObjectOfUnknownKindIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{})
		p.Record(Event{Regarding: pod("web"), Related: &tab{}, Reason: "R"})
		synctest.Wait()
		event := p.one()
		want(t, "related", event.Related, nil)
		want(t, "action", event.Action, "R")
		want(t, "type", event.Type, corev1.EventTypeNormal)
	})
}

func TestTextsAreCutToTheLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{})
		p.Normal(pod("web"), strings.Repeat("r", 200), strings.Repeat("a", 200), strings.Repeat("ü", 600)+"\xff")
		synctest.Wait()
		event := p.one()
		want(t, "reason", event.Reason, strings.Repeat("r", 125)+"...")
		want(t, "action", event.Action, strings.Repeat("a", 125)+"...")
		want(t, "note", event.Note, strings.Repeat("ü", 510)+"...")
	})
}

func FuzzTruncate(f *testing.F) {
	f.Add("plain", 3)
	f.Add("üüü", 4)
	f.Add("\xff\xfe\xff", 5)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 3 || limit > 2000 {
			t.Skip()
		}
		got := truncate(text, limit)
		if len(got) > limit || !utf8.ValidString(got) {
			t.Errorf("truncate(%q, %d) = %q", text, limit, got)
		}
		if utf8.ValidString(text) && len(text) <= limit && got != text {
			t.Errorf("truncate(%q, %d) = %q, want it as it is", text, limit, got)
		}
	})
}
