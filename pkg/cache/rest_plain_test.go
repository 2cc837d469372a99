package cache_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
)

type cronTab = *stablev1.CronTab

func TestRESTSourcePlainList(t *testing.T) {
	page := podList(metav1.ListMeta{ResourceVersion: "9", Continue: "more"}, somePod("one", "1"), somePod("two", "2"))
	server := newScript(t, answer{body: encode(t, cache.ProtobufEncoding, page)})
	got, err := server.pods(cache.RESTOptions{}).List(t.Context(), metav1.ListOptions{})
	if err != nil || !slices.Equal(namesOf(got.Items), []string{"one", "two"}) || got.ResourceVersion != "9" || got.Continue != "more" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Who asks for plain objects can't be told of a bad one among them.
func TestRESTSourcePlainListFailsWhole(t *testing.T) {
	bad := badObjects["no object for a field"].object
	server := newScript(t, answer{body: jsonList("stable.example.com/v1", "CronTabList", goodObject, bad)})
	_, err := server.cronTabs(cache.RESTOptions{}).List(t.Context(), metav1.ListOptions{})
	if _, ok := errors.AsType[*cache.UndecodableError](err); !ok {
		t.Errorf("the error is %v", err)
	}
}

func TestRESTSourcePlainWatch(t *testing.T) {
	bad := badObjects["no object for a field"].object
	server := newScript(t, answer{
		body: `{"type":"ADDED","object":` + goodObject + `}{"type":"ADDED","object":` + bad + `}{"type":"DELETED","object":` + goodObject + `}` +
			`{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"Expired","code":410}}`,
	})
	stream, err := server.cronTabs(cache.RESTOptions{}).Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Stop()
	var got []string
	for event := range stream.ResultChan() {
		switch object := event.Object.(type) {
		case cronTab:
			got = append(got, string(event.Type)+" "+object.Name)
		case *metav1.Status:
			got = append(got, string(event.Type)+" status "+string(object.Reason))
		}
	}
	if want := []string{"ADDED good", "ADDED status ", "DELETED good", "ERROR status Expired"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What is no stream is said, in a status.
func TestRESTSourcePlainWatchOfNonsense(t *testing.T) {
	stream, err := newScript(t, answer{body: "<html>"}).cronTabs(cache.RESTOptions{}).Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Stop()
	event := <-stream.ResultChan()
	if status, ok := event.Object.(*metav1.Status); event.Type != watch.Error || !ok || !strings.Contains(status.Message, "JSON") {
		t.Errorf("got %v", event)
	}
}

func TestRESTSourcePlainWatchIsStopped(t *testing.T) {
	stream, err := newScript(t, answer{hangs: true, body: `{"type":`}).pods(cache.RESTOptions{}).Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stream.Stop()
	if event, ok := <-stream.ResultChan(); ok {
		t.Errorf("got %v", event)
	}
}

var _ cache.ListerWatcher[*corev1.Pod] = (*cache.RESTSource[*corev1.Pod])(nil)
