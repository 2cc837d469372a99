package crontab

import (
	"strings"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
)

// parseTime reads a time as RFC 3339 writes it.
func parseTime(tb testing.TB, text string) time.Time {
	tb.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		tb.Fatal(err)
	}
	return parsed
}

// scheduled returns a CronTab with the schedule; without a zone it is in UTC.
func scheduled(spec, zone string, created time.Time) *v1.CronTab {
	crontab := &v1.CronTab{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "job", UID: "1", CreationTimestamp: metav1.NewTime(created)},
		Spec:       v1.CronTabSpec{Schedule: spec, Image: "image", ConcurrencyPolicy: v1.AllowConcurrent},
	}
	if zone != "" {
		crontab.Spec.TimeZone = &zone
	}
	return crontab
}

func TestNext(t *testing.T) {
	for _, test := range []struct {
		name, spec, zone, created, after string
		want                             []string
	}{{
		name: "UTC by default", spec: "0 9 * * *",
		created: "2026-01-01T00:00:00Z", after: "2026-01-10T09:00:00Z",
		want: []string{"2026-01-11T09:00:00Z", "2026-01-12T09:00:00Z"},
	}, {
		name: "in a zone, summer time begins", spec: "0 9 * * *", zone: "Europe/Vienna",
		created: "2026-01-01T00:00:00Z", after: "2026-03-27T12:00:00Z",
		want: []string{"2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z"},
	}, {
		name: "a time that the clock jumps over is left out", spec: "30 2 * * *", zone: "Europe/Vienna",
		created: "2026-01-01T00:00:00Z", after: "2026-03-28T00:00:00Z",
		want: []string{"2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"},
	}, {
		name: "a time that the clock shows twice comes twice", spec: "30 2 * * *", zone: "Europe/Vienna",
		created: "2026-01-01T00:00:00Z", after: "2026-10-24T12:00:00Z",
		want: []string{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"},
	}, {
		name: "an interval counts from the creation", spec: "@every 5s",
		created: "2026-01-01T00:00:03Z", after: "2026-01-01T00:00:03Z",
		want: []string{"2026-01-01T00:00:08Z", "2026-01-01T00:00:13Z"},
	}, {
		name: "whatever the white space", spec: " @every\t5s",
		created: "2026-01-01T00:00:03Z", after: "2026-01-01T00:00:03Z",
		want: []string{"2026-01-01T00:00:08Z", "2026-01-01T00:00:13Z"},
	}, {
		name: "and is not shifted by when one asks", spec: "@every 5s",
		created: "2026-01-01T00:00:03Z", after: "2026-02-01T00:00:00.7Z",
		want: []string{"2026-02-01T00:00:03Z", "2026-02-01T00:00:08Z"},
	}, {
		name: "nor by summer time", spec: "@every 24h", zone: "Europe/Vienna",
		created: "2026-03-28T08:00:00Z", after: "2026-03-28T08:00:00Z",
		want: []string{"2026-03-29T08:00:00Z", "2026-03-30T08:00:00Z"},
	}, {
		name: "descriptor in a zone", spec: "@daily", zone: "America/New_York",
		created: "2026-01-01T00:00:00Z", after: "2026-01-10T12:00:00Z",
		want: []string{"2026-01-11T05:00:00Z"},
	}} {
		t.Run(test.name, func(t *testing.T) {
			schedule, wrong := scheduleOf(scheduled(test.spec, test.zone, parseTime(t, test.created)))
			if wrong != nil {
				t.Fatal(wrong.message)
			}
			at := parseTime(t, test.after)
			for _, want := range test.want {
				next, ok := schedule.next(at)
				if !ok || !next.Equal(parseTime(t, want)) {
					t.Fatalf("after %v comes %v, %v; want %v", at, next.UTC(), ok, want)
				}
				at = next
			}
		})
	}
}

func TestInvalidSpecsAreExplained(t *testing.T) {
	for _, test := range []struct{ spec, zone, reason, message string }{
		{"61 * * * *", "", v1.ReasonInvalidSchedule, `spec.schedule "61 * * * *" cannot be parsed: end of range (61) above maximum (59): 61`},
		{"* * * *", "", v1.ReasonInvalidSchedule, `spec.schedule "* * * *" cannot be parsed: expected exactly 5 fields, found 4: [* * * *]`},
		{"@fortnightly", "", v1.ReasonInvalidSchedule, `spec.schedule "@fortnightly" cannot be parsed: unrecognized descriptor: @fortnightly`},
		{"@every 500ms", "", v1.ReasonInvalidSchedule, `spec.schedule "@every 500ms" cannot be parsed: interval "500ms" must be one or more whole seconds`},
		{"@every -5s", "", v1.ReasonInvalidSchedule, `spec.schedule "@every -5s" cannot be parsed: interval "-5s" must be one or more whole seconds`},
		{"@every 1500ms", "", v1.ReasonInvalidSchedule, `spec.schedule "@every 1500ms" cannot be parsed: interval "1500ms" must be one or more whole seconds`},
		{"TZ=UTC * * * * *", "", v1.ReasonInvalidSchedule, `spec.schedule "TZ=UTC * * * * *" cannot be parsed: expected exactly 5 fields, found 6: [TZ=UTC * * * * *]`},
		{"@daily", "Mars/Olympus", v1.ReasonInvalidTimeZone, `spec.timeZone "Mars/Olympus" is not known: unknown time zone Mars/Olympus`},
	} {
		_, wrong := scheduleOf(scheduled(test.spec, test.zone, time.Time{}))
		if wrong == nil || wrong.reason != test.reason || wrong.message != test.message {
			t.Errorf("schedule %q, zone %q: %+v; want %s: %s", test.spec, test.zone, wrong, test.reason, test.message)
		}
	}
}

func TestParsingNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := rapid.OneOf(rapid.String(), rapid.StringMatching(`(TZ=|CRON_TZ=|@every |@)?[-0-9*/,?LW ]*`)).Draw(t, "spec")
		_, wrong := scheduleOf(scheduled(spec, "", time.Time{}))
		if wrong != nil && !strings.Contains(wrong.message, "spec.schedule ") {
			t.Fatalf("message %q does not name the field", wrong.message)
		}
	})
}

// latestByStepping is what latest returns, found by looking at each time on the schedule.
func latestByStepping(s schedule, after, until time.Time) (latest time.Time, ok bool) {
	for next, found := s.next(after); found && !next.After(until); next, found = s.next(next) {
		latest, ok = next, true
	}
	return latest, ok
}

func TestLatestAgainstModel(t *testing.T) {
	field := func(values ...string) *rapid.Generator[string] { return rapid.SampledFrom(values) }
	minute, hour := field("*", "*/7", "0", "30", "59", "1-5,50"), field("*", "*/6", "0", "1", "2", "3", "23", "1-3")
	day, month, weekday := field("*", "*", "1", "15", "31", "29-31"), field("*", "*", "3", "10-12"), field("*", "*", "0", "1-5")
	// Clocks that change by an hour, by half an hour, and at midnight. One that leaves out a day, as Pacific/Apia did in
	// 2011, would keep the cron library busy for ever.
	zones := field("UTC", "Europe/Vienna", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana", "America/Santiago", "Asia/Kathmandu")
	around := field("2026-03-08T00:00:00Z", "2026-03-29T00:00:00Z", "2026-04-05T00:00:00Z", "2026-04-24T00:00:00Z",
		"2026-09-06T00:00:00Z", "2026-10-25T00:00:00Z", "2026-10-30T00:00:00Z", "2026-11-01T00:00:00Z", "2026-01-31T00:00:00Z")
	rapid.Check(t, func(t *rapid.T) {
		spec := strings.Join([]string{minute.Draw(t, "minute"), hour.Draw(t, "hour"), day.Draw(t, "day"), month.Draw(t, "month"), weekday.Draw(t, "weekday")}, " ")
		if rapid.IntRange(0, 4).Draw(t, "interval") == 0 {
			spec = "@every " + (time.Duration(rapid.IntRange(60, 100000).Draw(t, "seconds")) * time.Second).String()
		}
		base, err := time.Parse(time.RFC3339, around.Draw(t, "around"))
		if err != nil {
			t.Fatal(err)
		}
		after := base.Add(time.Duration(rapid.Int64Range(-int64(48*time.Hour), int64(48*time.Hour)).Draw(t, "after")))
		until := after.Add(time.Duration(rapid.Int64Range(-int64(time.Hour), int64(72*time.Hour)).Draw(t, "length")))
		created := after.Add(-time.Duration(rapid.IntRange(0, 1e6).Draw(t, "age")) * time.Second)
		schedule, wrong := scheduleOf(scheduled(spec, zones.Draw(t, "zone"), created))
		if wrong != nil {
			t.Fatal(wrong.message)
		}
		latest, ok := schedule.latest(after, until)
		want, wantOK := latestByStepping(schedule, after, until)
		if ok != wantOK || !latest.Equal(want) {
			t.Fatalf("%q: latest in (%v, %v] is %v, %v; want %v, %v", spec, after, until, latest, ok, want, wantOK)
		}
	})
}

// counting counts how often a schedule is asked.
type counting struct {
	cron.Schedule
	asked int
}

func (c *counting) Next(t time.Time) time.Time {
	c.asked++
	return c.Schedule.Next(t)
}

func TestLatestIsBoundedForACenturyOfMissedRuns(t *testing.T) {
	created := parseTime(t, "1970-01-01T00:00:00Z")
	for _, spec := range []string{"@every 1s", "* * * * *", "@yearly"} {
		parsed, wrong := scheduleOf(scheduled(spec, "", created))
		if wrong != nil {
			t.Fatal(wrong.message)
		}
		counting := &counting{Schedule: parsed}
		now := parseTime(t, "2070-01-01T00:00:00Z")
		if latest, ok := (schedule{counting}).latest(created, now); !ok || !latest.Equal(now) {
			t.Errorf("%q: latest is %v, %v; want %v", spec, latest, ok, now)
		}
		if counting.asked > 40 {
			t.Errorf("%q: the schedule was asked %d times", spec, counting.asked)
		}
		counting.asked = 0
		if many := (schedule{counting}).exceeds(manyMissed, created, now); many != (spec != "@yearly") {
			t.Errorf("%q: exceeds %d: %v", spec, manyMissed, many)
		}
		if counting.asked > manyMissed+1 {
			t.Errorf("%q: the schedule was asked %d times to count", spec, counting.asked)
		}
	}
}
