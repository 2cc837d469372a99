package lease

import "time"

// An instant is what both clocks of a process show at the same time. A time.Time can't be used instead: where it has a
// monotonic reading it hides the other.
type instant struct {
	steady time.Duration // by the monotonic clock, since some moment of this process; stands still while the machine sleeps
	wall   time.Time     // goes on while the machine sleeps, and may be set
	age    time.Duration // since some moment, at the most: the sum of what passed from one reading to the next, see after
}

// after returns the instant with its age, by that of the last one that was read: between the two that clock counts which has
// gone further. So no clock that is set back takes away what has passed before.
func (i instant) after(last instant) instant {
	i.age = last.age + max(0, i.steadySince(last), i.wall.Sub(last.wall))
	return i
}

// since returns how long ago earlier was, at the most, if both have an age. It is for one's own lease, which must rather end
// too early.
func (i instant) since(earlier instant) time.Duration { return i.age - earlier.age }

// steadySince returns how long ago earlier was, at the least: no machine's monotonic clock is put forward. It is for somebody
// else's lease, which must rather end too late.
func (i instant) steadySince(earlier instant) time.Duration { return i.steady - earlier.steady }

// reader returns a function that reads a clock.
func reader(now func() time.Time) func() instant {
	began := now()
	return func() instant {
		t := now()
		return instant{steady: t.Sub(began), wall: t.Round(0)}
	}
}
