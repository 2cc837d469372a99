package queue_test

// Where the queue is known not to do yet what its documentation says. Each is told by the test in findings_test.go that
// it names, and goes away with it: false is what the model says then.
const (
	knownOldestReadyAfterRaise        = true // TestOldestReadyCountsAKeyThatWasRaised
	knownTimesOfUntimedQueue          = true // TestStatsOfAnUntimedQueueHaveNoTimes
	knownIdleTenantsAreCounted        = true // TestStatsCountTenantsThatHaveKeys
	knownEventsOfWaitingKeysDoNotHeat = true // TestAKeyIsHotWhateverItsEventsFoundItDoing
	knownQuietOutlastsDelay           = true // TestQuietDoesNotPostponeADelay
	knownMergedDelayIsLost            = true // TestAFailureKeepsADelayThatEventsOvertook
	knownLowEventDemotesRetry         = true // TestAnEventOfLowPriorityDoesNotDemoteARetry
)
