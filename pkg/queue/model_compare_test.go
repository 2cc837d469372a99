package queue_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// perhapsLook compares after some operations only, since looking lets the queue notice that time has passed.
func (tr *trial) perhapsLook() {
	tr.same("invariants", queue.CheckInvariants(tr.queue), error(nil))
	if tr.choose("look", 2) == 0 {
		tr.look()
	}
}

func (tr *trial) look() {
	tr.same("Len", tr.queue.Len(), len(tr.model.ready))
	tr.same("ShuttingDown", tr.queue.ShuttingDown(), tr.model.closed)
	tr.same("Status", tr.queue.Status(), tr.model.Status())
	got, want := tr.queue.Inspect(-1), tr.model.Inspect()
	tr.same("status", got.Status, want.Status)
	slices.SortFunc(got.Tenants, byName)
	tr.same("tenants", append([]queue.TenantStatus(nil), got.Tenants...), want.Tenants)
	if tr.model.config.order != noOrder { // only that knows it
		slices.SortFunc(got.Ready, byKey)
		want.Ready = slices.SortedFunc(slices.Values(want.Ready), byKey)
	}
	tr.same("ready keys", got.Ready, want.Ready)
	tr.same("delayed keys", got.Delayed, want.Delayed)
	tr.same("running keys", got.Running, want.Running)
	tr.same("parked keys", got.Parked, want.Parked)
	tr.same("Parked", tr.queue.Parked(), want.Parked)
	got.Status, got.Tenants, want.Status, want.Tenants = queue.Status{}, nil, queue.Status{}, nil
	tr.same("snapshot", got, want)
	tr.lookAtKeys()
}

func (tr *trial) lookAtKeys() {
	for _, r := range slices.Clone(tr.model.records) {
		info, found := tr.queue.Find(r.key)
		want, wantFound := tr.model.Find(r.key)
		tr.same("found "+r.key, found, wantFound)
		tr.same("Find "+r.key, info, want)
		tr.same("NumRequeues "+r.key, tr.queue.NumRequeues(r.key), tr.model.NumRequeues(r.key))
	}
}

func (tr *trial) same(what string, got, want any) {
	if reflect.DeepEqual(got, want) {
		return
	}
	tr.t.Helper()
	tr.t.Logf("the queue says\n\t%+v, the model\n\t%+v, after\n\t%s", got, want, strings.Join(tr.log, "\n\t"))
	tr.t.Fatalf("%s: not the same", what) // the same words each time, so that the trial can be shortened
}

func (tr *trial) doing(format string, args ...any) {
	tr.log = append(tr.log, fmt.Sprintf(format, args...))
}
