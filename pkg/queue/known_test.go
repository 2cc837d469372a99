package queue

// Where the queue is known not to do yet what its documentation says. Each is told by the test in findings_test.go that
// it names, and goes away with it: false is what the model says then.
const (
	KnownOldestReadyAfterRaise        = true // TestOldestReadyCountsAKeyThatWasRaised
	KnownTimesOfUntimedQueue          = true // TestStatsOfAnUntimedQueueHaveNoTimes
	KnownIdleTenantsAreCounted        = true // TestStatsCountTenantsThatHaveKeys
	KnownEventsOfWaitingKeysDoNotHeat = true // TestAKeyIsHotWhateverItsEventsFoundItDoing
	KnownQuietOutlastsDelay           = true // TestQuietDoesNotPostponeADelay
	KnownMergedDelayIsLost            = true // TestAFailureKeepsADelayThatEventsOvertook
	KnownLowEventDemotesRetry         = true // TestAnEventOfLowPriorityDoesNotDemoteARetry
	KnownHighestIsNotOvertaken        = true // TestNoClassWaitsLongerForHavingBeenTheHighest
)
