package controlplane

import (
	"fmt"
	"net"
	"slices"
	"strconv"
)

// The parts, which are also the names of their binaries.
const (
	etcd              = "etcd"
	apiserver         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
)

// serviceRange holds the cluster IPs of Services; its first address is that of
// the API server.
const (
	serviceRange     = "10.0.0.0/24"
	apiserverService = "10.0.0.1"
)

// spec says how a part is run.
type spec struct {
	name string
	path string
	args []string
	port int
}

// plan turns a home, its ports and its options into the specs of the parts.
type plan struct {
	home  home
	bin   Binaries
	ports ports
	audit string // path, or empty
	gates gates  // all of this version of Kubernetes are known to both of its parts

	apiserverArgs []string // after ours, so that they win
}

// specs are in the order of start. Listeners share their ports with the
// reservation that chose them.
func (p plan) specs() []spec {
	return []spec{p.etcd(), p.apiserver(), p.controllerManager()}
}

// etcd keeps nothing that matters after a crash of the machine, so it does not
// wait for the disk.
func (p plan) etcd() spec {
	h, client, peer := p.home, loopbackURL(p.ports.etcd), loopbackURL(p.ports.peer)
	return spec{name: etcd, path: p.bin.path(etcd), port: p.ports.etcd, args: []string{
		"--name=default",
		"--data-dir=" + h.etcdData(),
		"--unsafe-no-fsync",
		"--quota-backend-bytes=" + strconv.Itoa(8<<30),
		"--socket-reuse-port",
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=default=" + peer,
		"--client-cert-auth", "--peer-client-cert-auth",
		"--trusted-ca-file=" + h.pki(etcdCA+".crt"),
		"--peer-trusted-ca-file=" + h.pki(etcdCA+".crt"),
		"--cert-file=" + h.pki(etcdServer+".crt"), "--key-file=" + h.pki(etcdServer+".key"),
		"--peer-cert-file=" + h.pki(etcdServer+".crt"), "--peer-key-file=" + h.pki(etcdServer+".key"),
	}}
}

// apiserver writes no endpoints of its own address, because the API refuses
// loopback addresses there. Its open watches end when it is told to stop; by
// default it would wait a minute for them.
func (p plan) apiserver() spec {
	h := p.home
	args := []string{
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		"--secure-port=" + strconv.Itoa(p.ports.apiserver),
		"--permit-port-sharing",
		"--shutdown-watch-termination-grace-period=1s",
		"--etcd-servers=" + loopbackURL(p.ports.etcd),
		"--etcd-cafile=" + h.pki(etcdCA+".crt"),
		"--etcd-certfile=" + h.pki(etcdClient+".crt"), "--etcd-keyfile=" + h.pki(etcdClient+".key"),
		"--tls-cert-file=" + h.pki(apiserverServer+".crt"), "--tls-private-key-file=" + h.pki(apiserverServer+".key"),
		"--client-ca-file=" + h.pki(clusterCA+".crt"),
		"--authorization-mode=RBAC",
		"--allow-privileged",
		"--service-cluster-ip-range=" + serviceRange,
		"--service-account-issuer=" + tokenIssuer,
		"--service-account-key-file=" + h.pki(tokenPublicKey),
		"--service-account-signing-key-file=" + h.pki(tokenKey),
	}
	args = slices.Concat(args, p.gates.args(), p.auditArgs(), p.apiserverArgs)
	return spec{name: apiserver, path: p.bin.path(apiserver), port: p.ports.apiserver, args: args}
}

// auditArgs ask for one file that is not rotated within reason.
func (p plan) auditArgs() []string {
	if p.audit == "" {
		return nil
	}
	return []string{
		"--audit-log-path=" + p.audit,
		"--audit-log-format=json",
		"--audit-log-maxsize=" + strconv.Itoa(100<<10), // MiB
		"--audit-policy-file=" + p.home.auditPolicy(),
	}
}

// controllerManager runs every controller that is on by default; those that
// need nodes or a cloud find none. Its request rates are higher than the
// defaults, so that a test does not measure them.
func (p plan) controllerManager() spec {
	h := p.home
	args := []string{
		"--kubeconfig=" + h.pki(controllerManagerKubeconfig),
		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(p.ports.controllerManager),
		"--permit-port-sharing",
		"--tls-cert-file=" + h.pki(controllerManagerServer+".crt"), "--tls-private-key-file=" + h.pki(controllerManagerServer+".key"),
		"--leader-elect=false",
		"--use-service-account-credentials",
		"--service-account-private-key-file=" + h.pki(tokenKey),
		"--root-ca-file=" + h.pki(clusterCA+".crt"),
		"--cluster-signing-cert-file=" + h.pki(clusterCA+".crt"), "--cluster-signing-key-file=" + h.pki(clusterCA+".key"),
		"--service-cluster-ip-range=" + serviceRange,
		"--kube-api-qps=200", "--kube-api-burst=400",
	}
	args = append(args, p.gates.args()...)
	return spec{name: controllerManager, path: p.bin.path(controllerManager), port: p.ports.controllerManager, args: args}
}

func loopbackURL(port int) string {
	return fmt.Sprintf("https://%s", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}
