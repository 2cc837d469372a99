package queue

import (
	"time"

	"k8s.io/utils/clock"
)

// An alarm calls a function when it is time. It is the queue's only timer. The real clock makes the call itself; for
// another clock a goroutine waits while the alarm is set.
type alarm struct {
	clock clock.WithTicker
	call  func()
	at    time.Duration // when it is set to, or never

	timer  *time.Timer // of the real clock
	cancel func()      // of another clock
}

// set replaces what the alarm was set to. A call that is under way already may still come.
func (a *alarm) set(at, wait time.Duration) {
	a.at = at
	switch a.clock.(type) {
	case clock.RealClock, *clock.RealClock:
		a.setTimer(wait)
	default:
		a.stopWaiting()
		a.cancel = a.wait(wait)
	}
}

func (a *alarm) setTimer(wait time.Duration) {
	if a.timer == nil {
		a.timer = time.AfterFunc(wait, a.call)
	} else {
		a.timer.Reset(wait)
	}
}

func (a *alarm) stop() {
	if a.at == never {
		return
	}
	a.at = never
	if a.timer != nil {
		a.timer.Stop()
	}
	a.stopWaiting()
}

func (a *alarm) stopWaiting() {
	if a.cancel != nil {
		a.cancel()
		a.cancel = nil
	}
}

// wait calls when the wait is over, unless it is cancelled.
func (a *alarm) wait(wait time.Duration) (cancel func()) {
	timer := a.clock.NewTimer(wait)
	cancelled := make(chan struct{})
	go func() {
		defer timer.Stop()
		select {
		case <-timer.C():
			a.call()
		case <-cancelled:
		}
	}()
	return func() { close(cancelled) }
}
