package cache

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func TestOnBatchIsToldOfEachBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []BatchStats
		server := newLiveServer()
		i := NewInformer(ListerWatcher[*corev1.ConfigMap](server), Config{OnBatch: func(s BatchStats) { told = append(told, s) }})
		AddIndex(i.Indexer(), "slow", func(*corev1.ConfigMap) ([]string, error) { time.Sleep(time.Second); return nil, nil })
		stop := start(t, i)
		synctest.Wait()
		server.stream.Modify(configMap("a", "u", "6")) // waits while the list is applied
		server.stream.Modify(configMap("a", "u", "7"))
		time.Sleep(time.Minute)
		stop()
		want := []BatchStats{
			{Events: 2, Waiting: 2, Took: 2 * time.Second, ResourceVersion: "5"},
			{Events: 2, Took: 2 * time.Second, ResourceVersion: "7"},
		}
		if !slices.Equal(told, want) {
			t.Errorf("told was %v, want %v", told, want)
		}
	})
}
