package lease

import (
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func leaseOf(version, holder string) *coordinationv1.Lease {
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: "it", ResourceVersion: version},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: new(int32(15)), LeaseTransitions: new(int32(7))},
	}
}

// When a standby takes the lease, and with how many transitions. The time is that since it last saw something new.
func TestMachineTakesWhatIsFree(t *testing.T) {
	for name, test := range map[string]struct {
		sees        func(m *machine)
		after       time.Duration
		takes       bool
		transitions int32
	}{
		"none":                     {func(m *machine) { m.sawNone(instant{}) }, 0, true, 0},
		"given up":                 {func(m *machine) { m.saw(leaseOf("1", ""), instant{}) }, 0, true, 8},
		"no holder at all":         {func(m *machine) { m.saw(&coordinationv1.Lease{}, instant{}) }, 0, true, 1},
		"held":                     {func(m *machine) { m.saw(leaseOf("1", "b"), instant{}) }, 15*time.Second - 1, false, 0},
		"expired":                  {func(m *machine) { m.saw(leaseOf("1", "b"), instant{}) }, 15 * time.Second, true, 8},
		"held by the same name":    {func(m *machine) { m.saw(leaseOf("1", "a"), instant{}) }, 15*time.Second - 1, false, 0},
		"deleted while held":       {func(m *machine) { m.saw(leaseOf("1", "b"), instant{}); m.sawNone(instant{}) }, 15*time.Second - 1, false, 0},
		"deleted and then expired": {func(m *machine) { m.saw(leaseOf("1", "b"), instant{}); m.sawNone(instant{}) }, 15 * time.Second, true, 0},
	} {
		m := &machine{name: "it", identity: "a", duration: 5 * time.Second}
		test.sees(m)
		wish := m.wish(instant{steady: test.after})
		if (wish != nil) != test.takes {
			t.Errorf("%s: wish %v, want that it takes the lease: %v", name, wish, test.takes)
		} else if wish != nil && *wish.Spec.LeaseTransitions != test.transitions {
			t.Errorf("%s: %d transitions, want %d", name, *wish.Spec.LeaseTransitions, test.transitions)
		}
	}
}

// Whatever changes of a held Lease is a sign of its holder, who has his time again from then on.
func TestMachineCountsFromTheLastSign(t *testing.T) {
	renewed := leaseOf("1", "b")
	renewed.Spec.RenewTime = new(metav1.NewMicroTime(time.Unix(1, 0)))
	other := leaseOf("1", "b")
	other.UID = "another"
	for name, sign := range map[string]func(m *machine, now instant){
		"another version":              func(m *machine, now instant) { m.saw(leaseOf("2", "b"), now) },
		"renewed, by a fake":           func(m *machine, now instant) { m.saw(renewed, now) },
		"another object":               func(m *machine, now instant) { m.saw(other, now) },
		"deleted":                      func(m *machine, now instant) { m.sawNone(now) },
		"deleted and made again":       func(m *machine, now instant) { m.sawNone(instant{}); m.saw(leaseOf("1", "b"), now) },
		"deleted, and still not there": func(m *machine, now instant) { m.sawNone(now); m.sawNone(instant{steady: now.steady + time.Second}) },
	} {
		m := &machine{name: "it", identity: "a", duration: 5 * time.Second}
		m.saw(leaseOf("1", "b"), instant{})
		sign(m, instant{steady: 10 * time.Second})
		if m.wish(instant{steady: 25*time.Second - 1}) != nil {
			t.Errorf("%s: taken too early", name)
		}
		if m.wish(instant{steady: 25 * time.Second}) == nil {
			t.Errorf("%s: not taken in time", name)
		}
	}
}

// Two attempts to take the same version are one claim, as either may be the one that succeeds. An attempt at another is a new one.
func TestMachineKnowsItsClaims(t *testing.T) {
	m := &machine{name: "it", identity: "a", duration: 15 * time.Second}
	m.saw(leaseOf("1", ""), instant{})
	first := m.wish(instant{wall: time.Unix(1, 0)})
	m.failed()
	again := m.wish(instant{wall: time.Unix(2, 0)})
	if !first.Spec.AcquireTime.Equal(again.Spec.AcquireTime) {
		t.Error("the second attempt at the same version is another claim")
	}
	first.ResourceVersion = "2" // it was carried out
	m.saw(first, instant{wall: time.Unix(3, 0)})
	if wish := m.wish(instant{wall: time.Unix(3, 0)}); wish == nil || *wish.Spec.LeaseTransitions != 8 {
		t.Errorf("its own lease: wish %v, want a renewal", wish)
	}
	m.saw(leaseOf("3", ""), instant{})
	if other := m.wish(instant{wall: time.Unix(4, 0)}); other.Spec.AcquireTime.Equal(first.Spec.AcquireTime) {
		t.Error("an attempt at another version is the same claim")
	}
}
