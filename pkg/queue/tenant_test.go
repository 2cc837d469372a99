package queue_test

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// namespace returns what is before the slash.
func namespace(key string) string {
	name, _, _ := strings.Cut(key, "/")
	return name
}

func TestTenantsTakeTurns(t *testing.T) {
	tests := map[string]struct {
		add  []string
		want []string
	}{
		"each with its oldest key": {
			add:  []string{"a/1", "a/2", "a/3", "b/1", "c/1", "c/2"},
			want: []string{"a/1", "b/1", "c/1", "a/2", "c/2", "a/3"},
		},
		"one alone": {
			add:  []string{"a/1", "a/2"},
			want: []string{"a/1", "a/2"},
		},
		"a repeated add is no turn": {
			add:  []string{"a/1", "a/2", "b/1", "b/1", "a/1"},
			want: []string{"a/1", "b/1", "a/2"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{Tenant: namespace})
			for _, key := range test.add {
				r.Add(key)
			}
			wantKeys(t, take(t, r.Queue), test.want...)
		})
	}
}

func TestATenantThatComesLaterHasItsTurnAfterTheOthers(t *testing.T) {
	r := newRig(t, queue.Config[string]{Tenant: namespace})
	for _, key := range []string{"a/1", "a/2", "b/1", "b/2"} {
		r.Add(key)
	}
	r.take("a/1")
	r.Add("c/1")
	wantKeys(t, take(t, r.Queue), "b/1", "a/2", "c/1", "b/2")
}

// A tenant whose last key is raised to another class leaves the circle, whoever's turn it is.
func TestATenantLeavesTheCircleWhenItsKeyIsRaised(t *testing.T) {
	for _, raised := range []string{"a/1", "b/1", "c/1"} {
		r := newRig(t, queue.Config[string]{Tenant: namespace})
		want := []string{raised}
		for _, key := range []string{"a/1", "b/1", "c/1"} {
			r.Add(key)
			if key != raised {
				want = append(want, key)
			}
		}
		r.AddWith(raised, at(queue.High))
		wantKeys(t, take(t, r.Queue), want...)
	}
}

func TestALargeTenantDoesNotDelayAnothersFirstKey(t *testing.T) {
	r := newRig(t, queue.Config[string]{Tenant: namespace})
	for i := range 100_000 {
		r.Add("large/" + strconv.Itoa(i))
	}
	r.Add("small/1")
	r.Add("small/2")
	wantKeys(t, take(t, r.Queue)[:5], "large/0", "small/1", "large/1", "small/2", "large/2")
}

func TestTenantsTakeTurnsWithinEachClass(t *testing.T) {
	r := newRig(t, queue.Config[string]{Tenant: namespace})
	for _, key := range []string{"a/1", "a/2", "b/1", "b/2"} {
		r.AddWith(key+" low", at(queue.Low))
		r.AddWith(key+" high", at(queue.High))
	}
	wantKeys(t, take(t, r.Queue),
		"a/1 high", "b/1 high", "a/2 high", "b/2 high",
		"a/1 low", "b/1 low", "a/2 low", "b/2 low")
}

func TestNoTenantStarvesUnderUrgentKeysOfAnother(t *testing.T) {
	r := newRig(t, queue.Config[string]{Tenant: namespace, MaxOvertakes: 2})
	for i := range 6 {
		r.AddWith(fmt.Sprintf("a/%d", i), at(queue.Urgent))
	}
	r.AddWith("b/1", at(queue.Background))
	r.AddWith("b/2", at(queue.Background))
	wantKeys(t, take(t, r.Queue), "a/0", "a/1", "b/1", "a/2", "a/3", "b/2", "a/4", "a/5")
}

func TestTheTenantIsAskedForWhenTheKeyIsNotRemembered(t *testing.T) {
	asked := 0
	r := newRig(t, queue.Config[string]{Tenant: func(key string) string {
		asked++
		return namespace(key)
	}})
	for range 3 {
		r.Add("a/1")
		r.Add("a/1")
		r.finish("a/1", queue.Success())
	}
	if asked != 1 {
		t.Errorf("asked %d times for the tenant of one key", asked)
	}
}

func TestTenantStatuses(t *testing.T) {
	r := newRig(t, queue.Config[string]{Tenant: namespace})
	r.Add("a/parked")
	r.finish("a/parked", queue.Park(nil))
	r.Add("a/running")
	r.take("a/running")
	r.AddAfter("a/running", time.Hour) // counts for both
	r.AddAfter("a/delayed", time.Hour)
	r.Add("a/ready")
	r.AddWith("a/urgent", at(queue.Urgent))
	r.Add("b/ready")
	r.Add("c/done")
	wantKeys(t, take(t, r.Queue), "a/urgent", "a/ready", "b/ready", "c/done")
	for _, key := range []string{"a/urgent", "a/ready", "b/ready", "c/done"} {
		r.Done(key)
	}
	r.Add("a/ready")
	r.AddWith("a/urgent", at(queue.Urgent))
	r.Add("b/ready")

	got := r.Inspect(-1).Tenants
	slices.SortFunc(got, func(a, b queue.TenantStatus) int { return cmp.Compare(a.Name, b.Name) })
	want := []queue.TenantStatus{
		{Name: "a", Ready: 2, Delayed: 2, Running: 1, Parked: 1},
		{Name: "b", Ready: 1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("tenants are %+v, want %+v", got, want)
	}
	if info, _ := r.Find("b/ready"); info.Tenant != "b" {
		t.Errorf("b/ready is of tenant %q", info.Tenant)
	}
}

func TestWithoutTenantsThereAreNoTenantStatuses(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.Add("a/1")
	if tenants := r.Inspect(-1).Tenants; len(tenants) != 0 {
		t.Errorf("tenants are %+v, want none", tenants)
	}
	if status := r.Status(); status.Tenants != 0 {
		t.Errorf("%d tenants, want none", status.Tenants)
	}
}

func TestTenantsThatAreGoneTakeNoMemory(t *testing.T) {
	const tenants = 200_000
	q := queue.New(queue.Config[string]{Tenant: namespace})
	before := heap()
	for i := range tenants {
		q.Add(strconv.Itoa(i) + "/a")
	}
	full := heap() - before
	for range tenants {
		key, _ := q.Get()
		q.Done(key)
	}
	if left := heap() - before; left > full/4 {
		t.Errorf("%d kB of %d kB are left", left>>10, full>>10)
	}
	runtime.KeepAlive(q)
}

func TestTheQueueIsUsableAfterItsTenantFunctionPanicked(t *testing.T) {
	adds := map[string]func(r rig, key string){
		"Add":            func(r rig, key string) { r.Add(key) },
		"AddAfter":       func(r rig, key string) { r.AddAfter(key, time.Second) },
		"AddRateLimited": func(r rig, key string) { r.AddRateLimited(key) },
		"AddWith":        func(r rig, key string) { r.AddWith(key, queue.AddOptions{Now: true}) },
	}
	for name, add := range adds {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{Tenant: func(key string) string {
				if key == "bad" {
					panic("no tenant")
				}
				return ""
			}})
			wantPanic(t, func() { add(r, "bad") })
			add(r, "good")
			r.clock.Step(time.Second)
			wantKeys(t, take(t, r.Queue), "good")
			if _, found := r.Find("bad"); found {
				t.Error("the key without a tenant is in the queue")
			}
		})
	}
}

func TestStatsCountTenantsThatHaveNoKeyAnyMore(t *testing.T) {
	r := newRig(t, queue.Config[string]{Tenant: namespace})
	r.Add("a/1")
	if status := r.Status(); status.Tenants != 1 {
		t.Errorf("%d tenants have keys, want 1", status.Tenants)
	}
	r.finish("a/1", queue.Success())
	if status := r.Status(); status.Tenants != 0 {
		t.Errorf("%d tenants have keys, want none", status.Tenants)
	}
}
