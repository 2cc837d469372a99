// Package integration proves package controller, and those below it, on a real API server, in whole programs that something
// happens to. It holds nothing but tests:
//
//	make controlplane
//	go test -race ./pkg/controller/integration
//
// Most scenes are about a keeper: a controller that keeps a ConfigMap for each CronTab. What it leads to is read by another client;
// what it has asked for, and when, is read from the audit log of the API server. What happens:
//
//	the watch of the cache is late                          TestNothingIsCreatedTwice, TestUnprotectedCreatesTwice
//	a leader loses its way to the lease, and nothing else   TestLeaseIsCutOff
//	a process gets SIGTERM while a reconcile is running     TestSIGTERMInMidReconcile, TestReconcileIgnoresSIGTERM
//	the right to write is taken away and given back         TestRightToWriteIsTakenAway
//	the right to read is taken away and given back          TestRightToReadIsTakenAway
//	a webhook denies                                        TestWebhookDenies
//	a webhook fails, or is gone                             TestWebhookIsBroken
//	a second writer changes the same objects all the time   TestConflictStorm
//	the API server is killed and comes back                 TestAPIServerIsKilled, TestAPIServerIsKilledInAStorm
//	there are two clusters                                  TestTwoClusters
//
// No test measures time. Where something must not be done too often it is counted, against the most that the waits permit in the
// time that has passed: a slow machine only does less.
//
// The tests share one control plane and put right again what they break, so they do not run in parallel.
package integration
