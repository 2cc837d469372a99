// Package integration proves package cache against real API servers that fail. It holds nothing but tests:
//
//	make controlplane
//	go test ./pkg/cache/integration
//
// Each test makes something happen to a control plane of hack/controlplane, while informers watch it, and then checks that
//
//   - the cache equals a list of the server at its most recent version, read by another client: keys, UIDs, versions;
//   - the events that a subscriber got, replayed, give the cache, and none of them contradicts those before;
//   - [github.com/sluice-k8s/sluice/pkg/cache.Status] says what has happened: each relist has a cause that the fault permits.
//
// What happens:
//
//	the API server is killed while objects change, and comes back    TestAPIServerIsKilled
//	it is killed, and has everything that an informer asks for       TestResumesWhereTheServerCan
//	it is stopped in order and comes back                            TestAPIServerIsRolled
//	etcd forgets old versions: 410 for a watch                       TestVersionsAreCompacted
//	a new watch cache does not have old versions: 410 for a watch    TestWatchCacheBeginsAnew
//	etcd forgets old versions: 410 for a further page                TestPagesAreCompacted
//	the server is restored from a backup: versions go back           TestServerIsRestored
//	a token ends, and later there is a new one                       TestTokenEnds
//	rights are taken away, and given again                           TestRightsAreTakenAway
//	a CRD is missing, installed, removed, installed again            TestDefinitionComesAndGoes
//	a CRD changes while informers watch its resource                 TestDefinitionChanges
//	a stored object can no longer be decoded                         TestObjectIsNoLongerDecodable
//	JSON, protobuf, CBOR; with WatchList and without; built-in and
//	custom resources; typed, unstructured, nothing but metadata      TestEncodings
//
// The tests share one control plane and put right again what they break, so they do not run in parallel, but for those that
// need other feature gates and have a control plane of their own. All of it takes a minute and a half on two cores, a part of
// which is the ten seconds for which an API server remembers a token.
//
// What is not found: a server that was restored and whose versions have passed the informer's before that asks again. It
// serves a watch from the old version, in another history. No request of the list-watch protocol tells the difference; see
// the audit of keys and versions.
package integration
