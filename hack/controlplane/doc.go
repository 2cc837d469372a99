// Package controlplane builds and runs a real Kubernetes control plane: etcd,
// kube-apiserver and kube-controller-manager, compiled from Go modules.
//
// What holds:
//
//   - Start, Up and Build return only when what they promise is true: binaries
//     are complete, or the API server is ready, the controller manager is
//     healthy and the default service account exists.
//   - What did not start leaves nothing running, and neither do [Down] and
//     [ControlPlane.Stop]. The error of a part that died ends with its log.
//   - A control plane made by [Start] dies with the program that started it,
//     even by SIGKILL (Linux). One made by [Up] lives on until [Down].
//   - A part that was ended by [ControlPlane.KillPart] or [ControlPlane.StopPart]
//     comes back at the same port with the same data; nobody else gets the
//     port meanwhile (Linux). Its end is no crash.
//   - Only processes that were started here are signalled: a process is known
//     by its id and the time at which it started, never by its name.
//   - A control plane is disposable. Data, keys and certificates are made anew
//     at each start and removed at the stop; logs stay in a directory that the
//     caller named.
//
// There are no nodes and there is no scheduler: Jobs get Pods, and the Pods
// stay pending. RBAC is on, service-account tokens are signed, garbage
// collection and namespace deletion work.
//
// # Where things are
//
// The nested module in server/ pins the versions. Its binaries are compiled
// once per version, Go release and platform into $SLUICE_CACHE_DIR, or
// sluice/ in the user's cache directory. The package needs the source tree
// of Sluice and the go command to compile, and neither afterwards.
//
// A control plane lives in one directory:
//
//	admin.kubeconfig   full access, by a client certificate
//	state.json         processes, ports and options; there while it runs
//	*.log              one per part
//	etcd/, pki/        data and keys; private to the user
//	backups/           copies of etcd/
//
// The package imports the standard library only, so it costs a test nothing to
// import it. Package controlplanetest builds on it for tests.
package controlplane
