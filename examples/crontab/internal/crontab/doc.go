// Package crontab runs CronTabs by creating Jobs.
//
// It guarantees, whatever crashes and however old its caches are:
//
//   - No time twice: a time on the schedule of a CronTab leads to at most one Job, unless somebody else deletes the Job
//     before the status tells of it.
//   - No drift: when runs are due depends on the schedule and the CronTab's creation only, not on when the controller
//     started or looked.
//   - Bounded: to find the latest missed run takes a few dozen steps, however many were missed.
//   - No leftovers: a deleted CronTab goes when its active Jobs have gone; its finished Jobs follow by their owner
//     references.
//   - Quiet: nothing is written when nothing has changed; a CronTab that cannot run is looked at again when it changes.
//
// Like a CronJob, a CronTab whose runs were missed starts the latest of them only, if its deadline allows.
//
// What one reconcile does:
//
//	cache ──▶ view ──▶ decide ──▶ plan ──▶ start a Job ──▶ apply the status ──▶ delete old Jobs
//	           ▲         │ a run is due                     on the version
//	           └─────────┘ look again, at the API server    that was read
//
// A decision is a pure function of a view (the CronTab and its Jobs) and the time. The caches may be older than the
// controller's own writes, so whoever starts something looks at the API server first. These make the first guarantee:
//
//  1. The name of a Job is that of the CronTab and the time on its schedule, so the API server refuses a second one.
//  2. The status is written on condition that the CronTab is still the one that was read, so that
//     status.lastScheduleTime never goes back.
//  3. A Job is deleted for its age only after the status tells of a run that is as late or later.
//
// Two controllers may race without running a time twice. But only one at a time can keep the policies Forbid and Replace:
// run one replica.
package crontab
