// Command demo runs the CronTab controller on a real API server and shows what happens, line by line with the time since
// the start.
//
// It uses the cluster of KUBECONFIG if that is set; otherwise it starts a control plane of its own, which the first time
// is compiled. It installs the CRD, makes a namespace, and runs the controller in it as its program does, with leader
// election and health pages. It creates three CronTabs: one that runs every few seconds, one whose schedule is wrong, and one
// that is deleted while its Job runs.
//
// On a terminal it goes on until Ctrl-C. Otherwise it ends when it has seen everything that it expects, or after two
// minutes. In the end it removes the namespace, leaves the CRD, and checks what it saw; it exits 0 only if all checks hold.
package main
