package crontab

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
)

// A schedule knows the times at which runs are due. They are a pure function of the spec and of the CronTab's creation.
type schedule struct{ cron.Schedule }

// A flaw says what is wrong with a spec: by the reasons of the condition Ready and of an event, and by a message.
type flaw struct{ reason, event, message string }

// scheduleOf parses the schedule of a CronTab in its time zone.
func scheduleOf(crontab *v1.CronTab) (schedule, *flaw) {
	spec, zone := crontab.Spec.Schedule, "UTC"
	if crontab.Spec.TimeZone != nil {
		zone = *crontab.Spec.TimeZone
	}
	if _, err := time.LoadLocation(zone); err != nil {
		return schedule{}, &flaw{v1.ReasonInvalidTimeZone, "UnknownTimeZone", fmt.Sprintf("spec.timeZone %q is not known: %v", zone, err)}
	}
	parsed, err := parse(spec, zone, crontab.CreationTimestamp.Time)
	if err != nil {
		return schedule{}, &flaw{v1.ReasonInvalidSchedule, "UnparseableSchedule", fmt.Sprintf("spec.schedule %q cannot be parsed: %v", spec, err)}
	}
	return schedule{parsed}, nil
}

func neverDue(crontab *v1.CronTab) flaw {
	return flaw{v1.ReasonInvalidSchedule, "InvalidSchedule", fmt.Sprintf("spec.schedule %q never comes due", crontab.Spec.Schedule)}
}

// parse reads five cron fields or a descriptor in the time zone, or an interval that is counted from the anchor.
func parse(spec, zone string, anchor time.Time) (cron.Schedule, error) {
	if words := strings.Fields(spec); len(words) == 2 && words[0] == "@every" {
		return parseInterval(words[1], anchor)
	}
	return cron.ParseStandard("CRON_TZ=" + zone + " " + spec)
}

func parseInterval(text string, anchor time.Time) (cron.Schedule, error) {
	length, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return nil, err
	case length < time.Second || length%time.Second != 0:
		return nil, fmt.Errorf("interval %q must be one or more whole seconds", text)
	}
	return interval{anchor: anchor.Truncate(time.Second), length: length}, nil
}

// An interval is the schedule "@every length". Unlike cron's own, which counts from when it is asked, its times are
// anchor + n·length, so that nobody's restart or delay shifts them.
type interval struct {
	anchor time.Time
	length time.Duration // a positive number of whole seconds
}

// Next returns the first time after t.
func (i interval) Next(t time.Time) time.Time {
	if t.Before(i.anchor) {
		return i.anchor.Add(i.length)
	}
	elapsed := t.Sub(i.anchor)
	return i.anchor.Add(elapsed - elapsed%i.length + i.length)
}

// next returns the first time after t, or ok false if there is none within five years.
func (s schedule) next(t time.Time) (next time.Time, ok bool) {
	next = s.Next(t)
	return next, !next.IsZero()
}

// latest returns the last time in (after, until], or ok false if there is none. It bisects instead of stepping, which
// takes one look at the schedule for each bit of the seconds between: about 30 for a century.
func (s schedule) latest(after, until time.Time) (latest time.Time, ok bool) {
	after = after.Truncate(time.Second)
	// The first second from which on the next time is too late; the times on a schedule are whole seconds.
	seconds := sort.Search(int(until.Sub(after)/time.Second)+1, func(n int) bool {
		next, ok := s.next(after.Add(time.Duration(n) * time.Second))
		return !ok || next.After(until)
	})
	if seconds == 0 {
		return time.Time{}, false
	}
	return s.next(after.Add(time.Duration(seconds-1) * time.Second))
}

// exceeds says whether more than limit times are in (after, until].
func (s schedule) exceeds(limit int, after, until time.Time) bool {
	for range limit + 1 {
		next, ok := s.next(after)
		if !ok || next.After(until) {
			return false
		}
		after = next
	}
	return true
}
