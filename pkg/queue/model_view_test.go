package queue_test

import (
	"cmp"
	"slices"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func (m *model) Status() queue.Status {
	status := queue.Status{
		Ready:   len(m.ready),
		Delayed: len(m.delayed()),
		Running: len(m.running),
		Parked:  len(m.parked),
		Tenants: len(m.tenants()),
	}
	for i := range status.Classes {
		class := queue.Background + queue.Priority(i)
		status.Classes[i] = queue.ClassStatus{
			Priority: class,
			Ready:    count(m.ready, func(r *record) bool { return r.class == class }),
			Delayed:  count(m.delayed(), func(r *record) bool { return r.class == class }),
			Running:  count(m.running, func(r *record) bool { return r.runClass == class }),
			Parked:   count(m.parked, func(r *record) bool { return r.class == class }),
		}
	}
	if !m.config.timed() {
		return status
	}
	for _, r := range m.running {
		status.Unfinished += m.now.Sub(r.startedAt)
		status.LongestRunning = max(status.LongestRunning, m.now.Sub(r.startedAt))
	}
	for _, class := range m.classes() {
		for _, tenant := range m.turns[class] {
			if m.config.order != noOrder {
				break
			}
			status.OldestReady = max(status.OldestReady, m.now.Sub(m.waiting(class, tenant)[0].readyAt))
		}
	}
	return status
}

func (m *model) tenants() []queue.TenantStatus {
	if m.config.Tenant == nil {
		return nil
	}
	var names []string
	for _, r := range m.records {
		if tenant := m.config.tenant(r.key); (r.running || r.awaits()) && !slices.Contains(names, tenant) {
			names = append(names, tenant)
		}
	}
	slices.Sort(names)
	var tenants []queue.TenantStatus
	for _, name := range names {
		ofTenant := func(r *record) bool { return m.config.tenant(r.key) == name }
		tenants = append(tenants, queue.TenantStatus{
			Name:    name,
			Ready:   count(m.ready, ofTenant),
			Delayed: count(m.delayed(), ofTenant),
			Running: count(m.running, ofTenant),
			Parked:  count(m.parked, ofTenant),
		})
	}
	return tenants
}

func (m *model) Inspect() queue.Snapshot[string] {
	return queue.Snapshot[string]{
		Name:     m.config.Name,
		At:       m.now,
		ShutDown: m.closed,
		Status:   m.Status(),
		Tenants:  m.tenants(),
		Ready:    m.infos(m.inOrder()),
		Delayed:  m.infos(m.delayed()),
		Running:  m.infos(m.running),
		Parked:   m.infos(m.parked),
	}
}

// inOrder returns the ready keys class by class and tenant by tenant.
func (m *model) inOrder() []*record {
	if m.config.order != noOrder {
		return m.ready
	}
	var ready []*record
	for _, class := range m.classes() {
		for _, tenant := range m.turns[class] {
			ready = append(ready, m.waiting(class, tenant)...)
		}
	}
	return ready
}

func (m *model) infos(records []*record) []queue.KeyInfo[string] {
	var infos []queue.KeyInfo[string]
	for _, r := range records {
		info, _ := m.Find(r.key)
		infos = append(infos, info)
	}
	return infos
}

func (m *model) Find(key string) (queue.KeyInfo[string], bool) {
	r := m.record(key)
	if !r.running && !r.awaits() {
		return queue.KeyInfo[string]{}, false
	}
	state := cmp.Or(r.pending, queue.Delayed)
	info := queue.KeyInfo[string]{
		Key: key, At: m.now, State: state, Priority: r.class, Tenant: m.config.tenant(key),
		Failures: r.failures, LastErr: r.lastErr, Triggers: m.merged(r.triggers),
	}
	if r.scheduled {
		info.Due, info.Wait = r.due, r.wait
	}
	if r.pending == queue.Ready && r.scheduled {
		info.Next = queue.Delayed
	}
	if r.running {
		info.State, info.Priority, info.Next = queue.Running, r.runClass, ""
		if r.awaits() {
			info.Next = state
		}
	}
	switch timed := m.config.timed(); {
	case info.State == queue.Running && timed:
		info.Since = r.startedAt
	case info.State == queue.Ready && timed:
		info.Since = r.readyAt
	case info.State == queue.Parked:
		info.Since = r.parkedAt
	}
	return info, true
}

func (m *model) NumRequeues(key string) int {
	if m.config.limiterCounts {
		return max(m.record(key).limited, m.record(key).failures)
	}
	return m.record(key).failures
}

// item returns what Take says of a run that began just now.
func (m *model) item(r *record) queue.Item[string] {
	item := queue.Item[string]{
		Key: r.key, Attempt: r.failures + 1, Priority: r.runClass, Triggers: m.merged(r.consumed),
	}
	if m.config.timed() {
		item.ReadyAt, item.TakenAt = r.readyAt, r.startedAt
	}
	return item
}

// merged returns the first of the triggers, the latest, and how many there were.
func (m *model) merged(all []queue.Trigger) *queue.Triggers {
	if len(all) == 0 {
		return nil
	}
	first, rest := all[0], all[1:]
	latest := rest[max(0, len(rest)-m.config.Triggers):]
	return &queue.Triggers{First: first, Last: append([]queue.Trigger(nil), latest...), Count: len(all)}
}

func count(records []*record, is func(*record) bool) int {
	n := 0
	for _, r := range records {
		if is(r) {
			n++
		}
	}
	return n
}

func byKey(a, b queue.KeyInfo[string]) int { return cmp.Compare(a.Key, b.Key) }

func byName(a, b queue.TenantStatus) int { return cmp.Compare(a.Name, b.Name) }
