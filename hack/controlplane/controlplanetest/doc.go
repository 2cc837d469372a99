// Package controlplanetest gives tests a real control plane: one per test
// binary, and a namespace per test.
//
//	func TestMain(m *testing.M) { os.Exit(controlplanetest.Run(m)) }
//
//	func TestReconcile(t *testing.T) {
//		config := controlplanetest.Config(t)
//		namespace := controlplanetest.Namespace(t)
//		…
//	}
//
// The control plane starts when a test first asks for it, which takes a few
// seconds, so that "go test -run Unit" pays nothing; it stops in Run and dies
// with the test binary in any case. The very first start on a machine compiles
// it for minutes: run "make controlplane" before, because "go test" counts
// that against its -timeout.
//
// If SLUICE_TEST_KUBECONFIG is set, tests use that cluster instead.
//
// A test that kills or restores servers has a control plane of its own, from
// Own, whatever SLUICE_TEST_KUBECONFIG says:
//
//	plane := controlplanetest.Own(t, controlplane.Options{})
//	config := controlplanetest.OwnConfig(t, plane)
//	…
//	plane.KillPart(ctx, controlplane.APIServer)
//
// Tests that put right again what they have broken may share one: see Plane.
//
// While it runs, the control plane keeps some goroutines. RunCheckingLeaks, in
// place of Run, looks for leaks when they have ended; RunWith does so too, with
// options for the control plane.
//
// Nobody can fake the time of a server: Await, AwaitTrue and Receive wait until
// it has done what must happen.
package controlplanetest
