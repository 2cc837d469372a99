// Package lease elects a leader among the processes of a program, with a Lease of the API group coordination.k8s.io/v1, and keeps
// those that do not lead from writing.
//
// An [Elector] and its [Fence] guarantee, as long as nobody else writes to the Lease and no clock runs faster than another by more
// than the ratio of [Config.Duration] to [Config.RenewDeadline], 3 to 2 by default:
//
//   - One at a time: the times in which the fences of two processes are open do not overlap.
//   - Fenced: a write leaves a process only while its fence is open. It counts by the process's own clocks, and from before the
//     request that renewed the lease was sent, so a server that answers late, or not at all, makes it end earlier. Of the
//     monotonic and the wall clock that one counts which has gone further, so it ends in time also if the machine was suspended or
//     its clock was set.
//   - Drained before given up: the lease is renewed as long as the program takes to stop. Then what is being sent is broken off,
//     and only then is the lease given up.
//   - Nobody else's lease is touched: it is read again before it is given up, and given up only if it is the one that this process
//     acquired, in the version that was read.
//   - The clocks of different machines are never compared.
//
// The way of a process:
//
//		standby ──1──▶ leader ──────3──────▶ draining ──4──▶ gone        the lease is given up
//		   │  ▲        │    ▲                   │
//		   │2 └────────┼──2─┘                   │
//		   ▼           ▼ 5                      ▼ 5
//		 gone        lost ◀─────────────────────┘                        the lease expires
//
//	 1. A standby reads the Lease each [Config.RetryPeriod], and writes itself into it if there is none, if it has no holder, or if it
//	    has not changed for as long as it says and for [Config.Duration], by the standby's own clock. The server refuses that if
//	    somebody was faster. The fence is open, and lead is called.
//	 2. The Lease is renewed each RetryPeriod; a standby that is stopped returns.
//	 3. The context of [Elector.Run] is done, and so is that of lead, which finishes its work.
//	 4. Lead has returned: the fence is closed, the Lease gets an empty holder. The next standby that looks takes it at once.
//	 5. The lease was not renewed for [Config.RenewDeadline], or has another holder: the fence is closed, the context of lead ends
//	    with [ErrLost] as its cause, and so does Run. The program ends, and begins anew as a standby.
//
// # The fence
//
// A fence sits in the transport of the clients that the program writes with. The elector has a client of its own:
//
//	elections, err := coordinationv1.NewForConfig(config)
//	elector, err := lease.New(lease.Config{Client: elections.Leases("default"), Name: "my-controller"})
//	config = rest.CopyConfig(config)
//	config.Wrap(elector.Fence().Wrap)
//	clients, err := kubernetes.NewForConfig(config)                                             // behind the fence
//
// Each of the two has its own limit of requests per second, so that renewals do not wait behind other requests.
//
// What a fence in the client can't do: call back what has left. A request that is on its way, or waits in a server, may be carried
// out when another process leads; the default leaves it five seconds. So may one that was admitted right before the machine was
// suspended, if its connection is still there afterwards. Where that matters, write with a precondition on the resource version,
// as updates do. It does not see either what is behind a clock that was set back, in the second before the machine was suspended or
// after it woke, by as much as it has slept.
//
// # The protocol
//
// It is that of client-go's tools/leaderelection with a LeaseLock, and processes that use it may contend for the same Lease: the
// same fields with the same meaning, an empty holder and a duration of one second when it is given up. Different are: a Lease
// that has one's own identity but was acquired by somebody else is not one's own; a Lease that is deleted while it is held is
// waited for as if it were still there, by those who have seen it; the fence; and that there is always a release, after the drain.
// Leases with a strategy, that is coordinated leader election (KEP-4355), are not supported. The object is that of KEP-589.
//
// A process that begins while somebody deletes a held Lease knows nothing of its holder, and acquires it at once. Do not delete
// Leases of programs that run.
//
// The rights it needs are get and update for the one Lease, by resourceNames, and create, which can't be limited to a name:
//
//	rules:
//	- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create]}
//	- {apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [my-controller], verbs: [get, update]}
package lease
