// Package crontab runs CronTabs by creating Jobs.
//
// It guarantees, whatever crashes, however many replicas run, and however old their caches are:
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
//	look ──▶ finalizer ──▶ decide ──▶ start a Job ──▶ write the status ──▶ delete old Jobs
//	at the caches;                                    on the version
//	if a run is due, at the API server                that was read
//
// A decision is a pure function of a view (the CronTab and its Jobs) and the time. Package controller sees to it that the
// caches have what this process wrote for a CronTab before it is reconciled again, which keeps the status steady. That is not
// enough to start something: the wait is bounded, and what another replica wrote it does not cover. So these make the first
// guarantee:
//
//  1. Whoever starts a run has read the CronTab at the API server.
//  2. The name of a Job is that of the CronTab and the time on its schedule, so the API server refuses a second one. A Job
//     that was there and is gone is not created again before the CronTab was read anew.
//  3. The status is written on condition that the CronTab is still the one that was read, so that
//     status.lastScheduleTime never goes back.
//  4. A Job is deleted for its age only after the status tells of a run that is as late or later.
//
// Two controllers may race without running a time twice. But only one at a time can keep the policies Forbid and Replace:
// with several replicas, elect a leader. It reads the Jobs at the API server before it starts a run by these policies, so
// that a standby whose caches are behind takes over safely.
package crontab
