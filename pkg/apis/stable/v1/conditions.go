package v1

// CronTabFinalizer keeps a deleted CronTab until the controller has stopped its Jobs.
const CronTabFinalizer = "stable.example.com/crontab"

// ConditionReady is True while the CronTab is followed: its next run starts at status.nextScheduleTime. Otherwise it is
// False and its reason says why no run will start.
const ConditionReady = "Ready"

// Reasons of ConditionReady.
const (
	// ReasonScheduled is the reason of True.
	ReasonScheduled = "Scheduled"

	// ReasonSuspended says that spec.suspend holds back all runs.
	ReasonSuspended = "Suspended"

	// ReasonInvalidSchedule says that spec.schedule cannot be parsed or never comes due. It stays until the spec changes.
	ReasonInvalidSchedule = "InvalidSchedule"

	// ReasonInvalidTimeZone says that spec.timeZone is not known to the controller. It stays until the spec changes.
	ReasonInvalidTimeZone = "InvalidTimeZone"
)
