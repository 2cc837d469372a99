package manager

import (
	"context"
	"errors"
	"time"

	"k8s.io/klog/v2"
)

// reportInterval is how often it is said what is waited for, and looked at what has changed in health.
const reportInterval = 10 * time.Second

type syncer interface {
	WaitForSync(ctx context.Context) error
}

// waitForSync waits until the informers have synced that can, or everything is to stop.
func (m *Manager) waitForSync(ctx context.Context) {
	live, cancel := m.living(ctx)
	defer cancel()
	pending := m.informers.members
	for live.Err() == nil {
		pending = m.tryToSync(live, pending)
		if len(pending) == 0 {
			m.synced.Store(true)
			klog.FromContext(ctx).Info("Synced")
			return
		}
	}
}

// tryToSync waits for a while, logs what has not synced by then, and returns it. An informer that never will is failed and no
// longer waited for: the controllers that read it find out, the others can work.
func (m *Manager) tryToSync(ctx context.Context, members []*member) (pending []*member) {
	attempt, cancel := context.WithTimeout(ctx, reportInterval)
	defer cancel()
	var reasons []error
	for _, member := range members {
		s, ok := member.runner.(syncer)
		if !ok {
			continue
		}
		switch err := guard(func() error { return s.WaitForSync(attempt) }); {
		case err == nil:
		case attempt.Err() != nil && !member.hasEnded():
			pending, reasons = append(pending, member), append(reasons, err)
		case ctx.Err() == nil:
			m.informers.fail(ctx, member, err)
		}
	}
	if len(reasons) > 0 && ctx.Err() == nil {
		klog.FromContext(ctx).Info("Still waiting for sync", "err", errors.Join(reasons...))
	}
	return pending
}
