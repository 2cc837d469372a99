package cache

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// A secretive server sends secrets where config maps are cached.
type secretive struct{ *scriptedServer }

func (secretive) Convert(obj runtime.Object) (*corev1.ConfigMap, error) {
	secret, ok := obj.(*corev1.Secret)
	if !ok {
		return nil, fmt.Errorf("a %T", obj)
	}
	return &corev1.ConfigMap{ObjectMeta: secret.ObjectMeta}, nil
}

func TestReflectorConverts(t *testing.T) {
	secret := func(kind watch.EventType, version string) watch.Event {
		return watch.Event{Type: kind, Object: &corev1.Secret{ObjectMeta: configMap("a", "u", version).ObjectMeta}}
	}
	synctest.Test(t, func(t *testing.T) {
		server := secretive{&scriptedServer{replies: []reply{
			page("5", ""),
			{events: []watch.Event{secret(watch.Added, "6"), event(watch.Added, "7"), secret(watch.Bookmark, "8"), {}}},
		}}}
		sink, status := runScript(t, server, Config{})
		if want := []string{"replace 0 at 5", "add u@6", "bookmark 8"}; !slices.Equal(sink.calls, want) || status.Skipped != 1 {
			t.Errorf("the sink got %q, %d events were skipped, want %q and one", sink.calls, status.Skipped, want)
		}
	})
}
