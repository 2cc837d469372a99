package lease

import (
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A machine decides what to write to the Lease, from what was read of it and when. It does no I/O and has no clock.
type machine struct {
	name     string
	identity string
	duration time.Duration

	lease   *coordinationv1.Lease // as it was seen last; nil before
	gone    bool                  // it has been deleted since
	changed instant               // when it was first seen as it is, or to be gone
	current bool                  // nobody is known to have written it since, so it need not be read before it is renewed
	leading bool                  // this process has written itself into it
	claim   claim
}

// A claim is an attempt to become the holder. Its answer may be lost, so a Lease that is read can turn out to be this process's.
type claim struct {
	made     bool
	version  string           // of the Lease that it would replace, empty for none
	acquired metav1.MicroTime // tells it from those of other processes, even if they have the same identity
}

// saw takes in a Lease that was read or written. Any change of it counts as a sign of its holder.
func (m *machine) saw(lease *coordinationv1.Lease, now instant) {
	if !m.exists() || !same(m.lease, lease) {
		m.changed = now
	}
	m.lease, m.gone, m.current = lease, false, true
}

// same says whether nobody has written a Lease in between. Fakes of the server give no versions.
func same(a, b *coordinationv1.Lease) bool {
	return a.UID == b.UID && a.ResourceVersion == b.ResourceVersion && equality.Semantic.DeepEqual(a.Spec, b.Spec)
}

// sawNone takes in that there is no Lease. Whoever held it does not know, may have renewed it just before, and is given its time.
func (m *machine) sawNone(now instant) {
	if m.exists() {
		m.changed = now
	}
	m.gone, m.current = m.lease != nil, true
}

// exists says whether there is a Lease, as far as is known: then a wish is to update it, else to create it.
func (m *machine) exists() bool { return m.lease != nil && !m.gone }

// wrote takes in that the server has accepted a wish.
func (m *machine) wrote(lease *coordinationv1.Lease, now instant) {
	m.saw(lease, now)
	m.leading = true
}

// failed takes in that nobody knows what became of a wish.
func (m *machine) failed() { m.current = false }

// mustRead says whether the Lease is to be read before anything is written.
func (m *machine) mustRead() bool { return !m.leading || !m.current }

// overtaken says whether somebody else has taken a lease that this process holds.
func (m *machine) overtaken() bool { return m.leading && m.current && m.exists() && !m.ours() }

// mayBeOurs says whether the server may think that this process holds the lease.
func (m *machine) mayBeOurs() bool { return m.leading || m.claim.made }

// wish returns what is to be written, nil for nothing.
func (m *machine) wish(now instant) *coordinationv1.Lease {
	switch {
	case m.overtaken():
		return nil
	case m.ours():
		return m.renewal(now)
	case m.leading || m.free(now):
		return m.takeover(now)
	default:
		return nil
	}
}

// ours says whether the Lease is as this process wrote it, as far as its holder goes.
func (m *machine) ours() bool {
	if !m.exists() || !m.claim.made {
		return false
	}
	acquired := m.lease.Spec.AcquireTime
	return m.holder() == m.identity && acquired != nil && acquired.Equal(&m.claim.acquired)
}

// free says whether nobody holds the lease: it was given up, or its holder has given no sign for as long as it had promised.
func (m *machine) free(now instant) bool {
	return m.lease == nil || m.holder() == "" || now.steadySince(m.changed) >= m.promised()
}

// promised returns after which time without a sign the holder has lost the lease: what the Lease says, but no less than what this
// process would promise, whoever has shortened it.
func (m *machine) promised() time.Duration {
	if seconds := m.lease.Spec.LeaseDurationSeconds; seconds != nil {
		return max(m.duration, time.Duration(*seconds)*time.Second)
	}
	return m.duration
}

// heldBy says who holds the lease in place of this process, for errors.
func (m *machine) heldBy() error {
	switch holder := m.holder(); holder {
	case "":
		return errors.New("somebody else has given it up")
	case m.identity:
		return fmt.Errorf("it is held by another process with the same identity, %q", holder)
	default:
		return fmt.Errorf("it is held by %q", holder)
	}
}

func (m *machine) holder() string {
	if m.lease == nil || m.lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *m.lease.Spec.HolderIdentity
}

func (m *machine) transitions() int32 {
	if m.lease == nil || m.lease.Spec.LeaseTransitions == nil {
		return 0
	}
	return *m.lease.Spec.LeaseTransitions
}

func (m *machine) renewal(now instant) *coordinationv1.Lease {
	wish := m.lease.DeepCopy()
	wish.Spec.LeaseDurationSeconds = seconds(m.duration)
	wish.Spec.RenewTime = new(microTime(now))
	return wish
}

func (m *machine) takeover(now instant) *coordinationv1.Lease {
	wish := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: m.name}}
	wish.Spec.LeaseTransitions = new(int32(0))
	if m.exists() {
		wish = m.lease.DeepCopy()
		wish.Spec.LeaseTransitions = new(m.transitions() + 1)
	}
	m.stake(wish.ResourceVersion, now)
	wish.Spec.HolderIdentity = new(m.identity)
	wish.Spec.LeaseDurationSeconds = seconds(m.duration)
	wish.Spec.AcquireTime = new(m.claim.acquired)
	wish.Spec.RenewTime = new(microTime(now))
	return wish
}

// stake makes a claim, unless there is one to the same version: either may be the one that the server carries out.
func (m *machine) stake(version string, now instant) {
	if !m.claim.made || m.claim.version != version {
		m.claim = claim{made: true, version: version, acquired: microTime(now)}
	}
}

// resignation returns what is to be written to give the lease up, nil if this process does not hold it. The form is client-go's:
// no holder, and one second.
func (m *machine) resignation(now instant) *coordinationv1.Lease {
	if !m.ours() {
		return nil
	}
	wish := m.lease.DeepCopy()
	wish.Spec.HolderIdentity = new("")
	wish.Spec.LeaseDurationSeconds = seconds(time.Second)
	wish.Spec.RenewTime = new(microTime(now))
	return wish
}

func seconds(d time.Duration) *int32 { return new(int32(d / time.Second)) }

// microTime returns the wall clock's time as the API has it.
func microTime(now instant) metav1.MicroTime {
	return metav1.NewMicroTime(now.wall.Truncate(time.Microsecond))
}
