package cache

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
)

// Requests that fail are told, and so is the error that ends a watch; a watch that ends well is not.
func TestOnErrorIsToldWhatWentWrong(t *testing.T) {
	forbidden := apierrors.NewForbidden(corev1.Resource("configmaps"), "", errors.New("no role"))
	unavailable := apierrors.NewServiceUnavailable("not now")
	expired := apierrors.NewResourceExpired("too old")
	synctest.Test(t, func(t *testing.T) {
		var errs []error
		runScript(t, &scriptedServer{replies: []reply{
			{err: forbidden},
			page("5", ""),
			{err: unavailable},
			{events: []watch.Event{event(watch.Added, "6")}},
			{events: []watch.Event{errorEvent(expired)}},
		}}, Config{OnError: func(_ context.Context, err error) { errs = append(errs, err) }})
		for n, is := range []func(error) bool{apierrors.IsForbidden, apierrors.IsServiceUnavailable, apierrors.IsResourceExpired} {
			if n >= len(errs) || !is(errs[n]) {
				t.Fatalf("told was %v", errs)
			}
		}
		if len(errs) != 3 {
			t.Errorf("told was %v, want three errors", errs)
		}
	})
}

// The context is that of Run.
func TestOnErrorGetsTheContextOfRun(t *testing.T) {
	type key struct{}
	synctest.Test(t, func(t *testing.T) {
		var got any
		config := Config{OnError: func(ctx context.Context, _ error) { got = ctx.Value(key{}) }}
		i := NewInformer(ListerWatcher[*corev1.ConfigMap](&scriptedServer{replies: []reply{{err: errors.New("x")}}}), config)
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "ours"))
		done := make(chan error)
		go func() { done <- i.Run(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-done; err != nil || got != "ours" {
			t.Errorf("Run: %v, the context has %v", err, got)
		}
	})
}
