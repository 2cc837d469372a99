package clientgo_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"
)

const resynced = "update default/a@1 to default/a@1"

// SubscribeEvery adds a recorder that asks for resyncs.
func subscribeEvery(t tester, informer cache.SharedInformer, period time.Duration) *recorder {
	t.Helper()
	handler := &recorder{}
	_, err := informer.AddEventHandlerWithResyncPeriod(handler, period)
	wantOK(t, err)
	return handler
}

func TestContractResync(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"), newPod("b"))
		informer := t.newSharedInformer(source, &corev1.Pod{}, 10*time.Second)
		handler, _ := subscribe(t, informer)
		never := subscribeEvery(t, informer, 0)
		go informer.Run(t.Context().Done())
		settle()
		handler.take()
		never.take()
		requests := len(source.requests())
		for range 3 {
			pass(10*time.Second - 1)
			handler.want(t)
			pass(1)
			handler.wantUnordered(t, resynced, "update default/b@2 to default/b@2")
		}
		never.want(t)
		if len(source.requests()) != requests {
			t.Error("a resync asked the server")
		}
	})
}

func TestContractResyncOfAnInformerThatDoesNone(t *testing.T) {
	forEachLive(t, func(t *scene) {
		informer := newPodInformer(t.implementation, newSource(newPod("a")))
		handler, logged := &recorder{}, &logs{}
		_, err := informer.AddEventHandlerWithOptions(handler, logged.options(10*time.Second))
		wantOK(t, err)
		go informer.RunWithContext(t.Context())
		pass(time.Hour)
		handler.want(t, "add default/a@1 initial")
		logged.want(t, "this shared informer doesn't support resyncing")
	})
}

// Periods are rounded up to the multiples of the least that was asked for before the start.
func TestContractResyncPeriods(t *testing.T) {
	forEachLive(t, func(t *scene) {
		informer := t.newSharedInformer(newSource(newPod("a")), &corev1.Pod{}, time.Hour)
		ten := subscribeEvery(t, informer, 10*time.Second)
		fifteen := subscribeEvery(t, informer, 15*time.Second)
		go informer.Run(t.Context().Done())
		settle()
		ten.take()
		fifteen.take()
		pass(10 * time.Second)
		ten.want(t, resynced)
		fifteen.want(t)
		pass(10 * time.Second)
		ten.want(t, resynced)
		fifteen.want(t, resynced)
		pass(20 * time.Second)
		ten.want(t, resynced, resynced)
		fifteen.want(t, resynced)
	})
}

// A resync period that the informer cannot serve is raised, with a warning.
func TestContractResyncPeriodsAreRaised(t *testing.T) {
	forEachLive(t, func(t *scene) {
		informer := t.newSharedInformer(newSource(newPod("a")), &corev1.Pod{}, 10*time.Second)
		short, shortLogs := &recorder{}, &logs{}
		_, err := informer.AddEventHandlerWithOptions(short, shortLogs.options(time.Millisecond))
		wantOK(t, err)
		shortLogs.want(t, "resync period is too small")
		go informer.Run(t.Context().Done())
		settle()
		short.take()
		pass(3 * time.Second)
		short.want(t, resynced, resynced, resynced)
	})
	forEachLive(t, func(t *scene) {
		informer := t.newSharedInformer(newSource(newPod("a")), &corev1.Pod{}, 10*time.Second)
		go informer.Run(t.Context().Done())
		settle()
		late, lateLogs := &recorder{}, &logs{}
		_, err := informer.AddEventHandlerWithOptions(late, lateLogs.options(2*time.Second))
		wantOK(t, err)
		lateLogs.want(t, "smaller than resync check period and the informer has already started")
		late.want(t, "add default/a@1 initial")
		pass(10*time.Second - 1)
		late.want(t)
		pass(1)
		late.want(t, resynced)
	})
}

// Once the informer runs, a handler may ask for what another has asked for before.
func TestContractResyncPeriodsOfLateHandlers(t *testing.T) {
	forEachLive(t, func(t *scene) {
		informer := t.newSharedInformer(newSource(newPod("a")), &corev1.Pod{}, time.Hour)
		early := subscribeEvery(t, informer, 2*time.Second)
		go informer.Run(t.Context().Done())
		settle()
		early.take()
		late := subscribeEvery(t, informer, 4*time.Second)
		late.want(t, "add default/a@1 initial")
		pass(4 * time.Second)
		late.want(t, resynced)
		early.want(t, resynced, resynced)
	})
}

// A resync shows what is in the cache, also if it was put there by hand.
func TestContractResyncShowsTheCache(t *testing.T) {
	forEachLive(t, func(t *scene) {
		informer := t.newSharedInformer(newSource(), &corev1.Pod{}, 10*time.Second)
		handler, _ := subscribe(t, informer)
		go informer.Run(t.Context().Done())
		settle()
		wantOK(t, informer.GetStore().Add(newPod("a", atVersion("1"))))
		pass(10 * time.Second)
		handler.want(t, resynced)
	})
}

// Logs are what was logged for a handler.
type logs struct{ logger klog.Logger }

// Options ask for resyncs with the period, and for logs.
func (l *logs) options(period time.Duration) cache.HandlerOptions {
	l.logger = ktesting.NewLogger(ktesting.NopTL{}, ktesting.NewConfig(ktesting.BufferLogs(true)))
	return cache.HandlerOptions{Logger: &l.logger, ResyncPeriod: &period}
}

func (l *logs) want(t tester, part string) {
	t.Helper()
	if logged := l.logger.GetSink().(ktesting.Underlier).GetBuffer().String(); !strings.Contains(logged, part) {
		t.Errorf("logged was %q, want %q", logged, part)
	}
}
