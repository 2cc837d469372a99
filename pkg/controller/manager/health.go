package manager

import (
	"errors"
	"slices"
	"strings"
	"sync"

	"k8s.io/klog/v2"
)

// A check is one line of a health page.
type check struct {
	name string
	err  error // nil if all is well
}

// Live returns nil unless the program is stuck: its stop takes longer than the grace period.
func (m *Manager) Live() error { return failures(m.liveness()) }

// Ready returns nil while the program does, or could do at once, what it is for: it has started and synced, is not about to stop,
// no runner has failed, and all that have a method Ready() error, as informers and controllers do, say so. A standby is ready,
// because it is warm, as long as it can read the Lease. Else it returns all reasons, joined.
func (m *Manager) Ready() error { return failures(m.readiness()) }

func (m *Manager) liveness() []check {
	var err error
	if m.overdue.Load() {
		err = ErrGracePeriod
	}
	return []check{{"stop", err}}
}

func (m *Manager) readiness() []check {
	checks := []check{{"running", m.unready()}, {"sync", nil}}
	if !m.synced.Load() {
		checks[1].err = errNotSynced
	}
	if e := m.config.Election; e != nil && m.electing.Load() {
		checks = append(checks, check{"election", e.Ready()})
	}
	for _, g := range m.groups() {
		for _, member := range g.members {
			checks = append(checks, check{member.name, member.ready()})
		}
	}
	return checks
}

func (m *Manager) unready() error {
	switch {
	case !m.started.Load():
		return errNotStarted
	case m.live.Err() != nil:
		return errStopping
	default:
		return nil
	}
}

func failures(checks []check) error {
	var errs []error
	for _, c := range checks {
		errs = append(errs, c.err)
	}
	return errors.Join(errs...)
}

// health remembers the checks that failed when they were last looked at.
type health struct {
	mu     sync.Mutex
	failed map[string]string // reasons by name
}

// assess logs the checks that have changed: the pages withhold reasons.
func (m *Manager) assess(logger klog.Logger) {
	checks := append(m.readiness(), m.liveness()...)
	m.health.mu.Lock()
	defer m.health.mu.Unlock()
	if m.health.failed == nil {
		m.health.failed = make(map[string]string)
	}
	for _, c := range checks {
		m.health.noteLocked(logger, c)
	}
}

func (h *health) noteLocked(logger klog.Logger, c check) {
	before, failed := h.failed[c.name]
	switch {
	case c.err != nil && (!failed || kind(before) != kind(c.err.Error())):
		logger.Info("Unhealthy", "check", c.name, "err", c.err)
		h.failed[c.name] = c.err.Error()
	case c.err == nil && failed:
		logger.Info("Healthy again", "check", c.name)
		delete(h.failed, c.name)
	}
}

// kind returns a reason without the words that have digits: times and counts in it change all the time.
func kind(reason string) string {
	words := slices.DeleteFunc(strings.Fields(reason), func(word string) bool { return strings.ContainsAny(word, "0123456789") })
	return strings.Join(words, " ")
}
