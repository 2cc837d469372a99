package write_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

// TestTheNextReconcileWaits does each write in a reconcile, and looks at what the controller has then waited for.
func TestTheNextReconcileWaits(t *testing.T) {
	type writer = *write.Writer[*corev1.ConfigMap]
	old := func(s *server) *corev1.ConfigMap { return s.objects["old"].DeepCopy() }
	tests := map[string]struct {
		write func(ctx context.Context, s *server, w writer) error
		waits string
	}{
		"Create": {func(ctx context.Context, _ *server, w writer) error {
			_, err := w.Create(ctx, configMap("new", nil))
			return err
		}, "object new 4"},
		"CreateOrUpdate": {func(ctx context.Context, _ *server, w writer) error {
			_, _, err := w.CreateOrUpdate(ctx, configMap("old", nil), set("a", "b"))
			return err
		}, "object old 3"},
		"Update": {func(ctx context.Context, s *server, w writer) error {
			obj := old(s)
			obj.Data = map[string]string{"a": "b"}
			_, _, err := w.Update(ctx, obj)
			return err
		}, "object old 3"},
		"nothing changed": {func(ctx context.Context, s *server, w writer) error {
			_, _, err := w.Update(ctx, old(s))
			return err
		}, ""},
		"a dry run": {func(ctx context.Context, _ *server, w writer) error {
			_, err := w.Client("default").Create(ctx, configMap("new", nil), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			return err
		}, ""},
		"a patch by hand": {func(ctx context.Context, _ *server, w writer) error {
			_, err := w.Client("default").Patch(ctx, "old", types.MergePatchType, []byte(`{"data":{"a":"b"}}`), metav1.PatchOptions{})
			return err
		}, "object old 3"},
		"Delete": {func(ctx context.Context, s *server, w writer) error {
			return w.Delete(ctx, old(s))
		}, "deletion old 2"},
		"Delete of one that is gone": {func(ctx context.Context, s *server, w writer) error {
			obj := old(s)
			s.drop("old")
			return w.Delete(ctx, obj)
		}, "deletion old 2"},
		"Delete of one made again": {func(ctx context.Context, s *server, w writer) error {
			obj := old(s)
			s.drop("old")
			s.put("old", nil)
			if err := w.Delete(ctx, obj); controller.Classify(err) != controller.Stale {
				return err
			}
			return nil
		}, ""},
		"a delete by hand": {func(ctx context.Context, _ *server, w writer) error {
			return w.Client("default").Delete(ctx, "old", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{}})
		}, "deletion old 2"},
		"a delete by hand of one that the cache does not have": {func(ctx context.Context, s *server, w writer) error {
			s.drop("old") // the cache has this one, and nobody has deleted it here
			again := s.put("old", nil)
			return w.Client("default").Delete(ctx, "old", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &again.UID}})
		}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				cached := s.put("old", nil)
				w, v := newWriter(t, s, write.Config{}, cached)
				reconcile(t, func(ctx context.Context) error { return test.write(ctx, s, w) })
				slices.Sort(v.waits) // the controller asks more than once
				if strings.Join(slices.Compact(v.waits), ", ") != test.waits {
					t.Errorf("waited for %q, want %q", v.waits, test.waits)
				}
			})
		})
	}
}

// Somebody makes an object of the same name before the answer is there: that one is not waited for.
func TestADeleteByHandIsOfWhatWasKnownBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		cached := s.put("old", nil)
		w, v := newWriter(t, s, write.Config{}, cached)
		s.lose = func(string) error { v.objects["old"] = configMap("old", nil); return nil }
		reconcile(t, func(ctx context.Context) error {
			return w.Client("default").Delete(ctx, "old", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{}})
		})
		if len(v.waits) == 0 || v.waits[0] != "deletion old 2" {
			t.Errorf("waited for %q", v.waits)
		}
	})
}

// reconcile runs what a reconcile does, once.
func reconcile(t *testing.T, do func(ctx context.Context) error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	c, err := controller.New(controller.Config[string]{
		Name: "test",
		Reconcile: func(ctx context.Context, _ string) controller.Result {
			if err := do(ctx); err != nil {
				t.Error(err)
			}
			return controller.Done()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Enqueue("key")
	done := make(chan error)
	go func() { done <- c.Run(ctx) }()
	synctest.Wait()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
