// Package manager runs the life of a program: it starts informers, waits until they have synced, gets the lease, runs controllers,
// serves health pages, and stops all of it in order.
//
// A [Manager] guarantees:
//
//   - Not before sync: no controller runs before what exists is in the caches. What is waited for is logged every ten seconds.
//   - Only while leading: with an election, [Config.Controllers] run only while this process holds the lease. A standby is warm: its
//     informers run, so it begins as soon as it leads.
//   - One stop for all: the contexts of all controllers end at the same time, so their grace periods do not add up.
//   - In order: events are sent when the controllers have ended, the lease is given up when the events are sent, and caches live
//     until then.
//   - Bounded: after [Config.GracePeriod] Run returns, and says what still runs. That is left to the end of the process, and so is
//     the lease.
//   - Isolated: a runner that fails or panics stops no other unless that is wanted; the program is not ready, and says so.
//
// The way of a program:
//
//	start                                          stop, from the bottom up
//
//	1 health pages ─────────────────────────────── 6 and they are gone
//	2 informers, factory ───────────────────────── 5 stopped
//	2 recorders ────────────────────────────────── 3 stopped: events are sent
//	3 wait for sync
//	4 controllers without election ─────────────── 1 \ stopped together, each with its
//	5 wait for the lease ───────────────────────── 4 │ lease given up
//	6 controllers ──────────────────────────────── 1 / grace period; 2 wait for all
//
// A standby that is stopped gets from 5 to the end without an error. When the lease is lost, controllers are stopped at once, and
// Run returns an error that wraps [lease.ErrLost]: the process ends, and the next begins as a standby.
//
// [Main] turns the outcome into an exit code, and [Options] are flags. A program needs few lines more than its controllers; see the
// example of the package. In its manifest the address of the health pages is named by the probes:
//
//	args: [--leader-elect, --leader-elect-resource-name=my-controller, "--health-probe-bind-address=:8081"]
//	livenessProbe: {httpGet: {path: /livez, port: 8081}}
//	readinessProbe: {httpGet: {path: /readyz, port: 8081}}
//
// The form of the pages and the paths are those of Kubernetes' components, see "Kubernetes API health endpoints" in its reference.
package manager
