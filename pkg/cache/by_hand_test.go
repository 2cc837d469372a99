package cache

import (
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
)

func TestABatchOfAnyVersion(t *testing.T) {
	type batch = Batch[*corev1.ConfigMap]
	a1, a2, b2 := configMap("a", "u", "1"), configMap("a", "u", "2"), configMap("b", "u", "2")
	b1 := configMap("b", "u", "1")
	for name, test := range map[string]struct {
		batch batch
		want  []*corev1.ConfigMap
	}{
		"deltas that are older":            {batch{Deltas: []Delta[*corev1.ConfigMap]{set(a1), remove(b1)}}, []*corev1.ConfigMap{a1}},
		"the same version, another object": {batch{Deltas: []Delta[*corev1.ConfigMap]{set(b2)}}, []*corev1.ConfigMap{a2, b2}},
		"a replacement that is older":      {batch{Replaced: true, Items: []*corev1.ConfigMap{a1}}, []*corev1.ConfigMap{a1}},
		"deltas after a replacement": {
			batch{Replaced: true, Items: []*corev1.ConfigMap{a2, b2}, Deltas: []Delta[*corev1.ConfigMap]{set(a1)}},
			[]*corev1.ConfigMap{a1, b2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			i := NewIndexer[*corev1.ConfigMap]()
			i.Apply(batchOf(set(a2), set(configMap("b", "u", "2"))))
			test.batch.AnyVersion, test.batch.ResourceVersion = true, "1"
			i.Apply(test.batch)
			if i.Len() != len(test.want) || i.ResourceVersion() != "1" || i.Refused() != 0 {
				t.Errorf("%d objects at version %s, %d refused", i.Len(), i.ResourceVersion(), i.Refused())
			}
			for _, want := range test.want {
				if got, _ := i.Get(KeyOf(want)); got != want {
					t.Errorf("there is %s, want %s", stateOf(got), stateOf(want))
				}
			}
		})
	}
}

func TestWhatIsWrittenByHandIsToldToThoseWhoJoinLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLiveServer()
		i := newTestInformer(s)
		var before, after log
		i.Subscribe("before", before.handle)
		stop := start(t, i)
		synctest.Wait()
		i.Write(Batch[*corev1.ConfigMap]{
			AnyVersion: true,
			Deltas:     []Delta[*corev1.ConfigMap]{set(configMap("c", "u", "6")), remove(configMap("a", "u", "")), remove(configMap("b", "u", ""))},
		})
		i.Subscribe("after", after.handle)
		before.want(t, "Added a@1 initial", "Added b@1 initial")
		after.want(t, "Added c@6 initial")
		s.stream.Modify(configMap("c", "u", "7"))
		before.want(t, "Added a@1 initial", "Added b@1 initial", "Updated c@7")
		after.want(t, "Added c@6 initial", "Updated c@7")
		stop()
	})
}
