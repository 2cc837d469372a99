package controlplane

import "os"

// Files in pki/. Those without an extension are pairs, NAME.crt and NAME.key.
const (
	clusterCA               = "ca"
	apiserverServer         = "apiserver"
	adminClient             = "admin"
	controllerManagerClient = "controller-manager"
	controllerManagerServer = "controller-manager-server"

	// etcd trusts an authority of its own: whoever has a certificate of the
	// cluster must not get past RBAC.
	etcdCA     = "etcd-ca"
	etcdServer = "etcd"
	etcdClient = "etcd-client"

	tokenKey       = "service-account.key"
	tokenPublicKey = "service-account.pub"

	controllerManagerKubeconfig = "controller-manager.kubeconfig"
)

// writePKI makes the keys and certificates of a control plane whose API server
// is at the URL, and the kubeconfigs that use them.
func (h home) writePKI(server string) error {
	if err := os.MkdirAll(h.pki(""), 0o700); err != nil {
		return err
	}
	if err := h.writeTokenKeys(); err != nil {
		return err
	}
	if err := h.writeEtcdPKI(); err != nil {
		return err
	}
	return h.writeClusterPKI(server)
}

func (h home) writeEtcdPKI() error {
	ca, err := h.writeAuthority(etcdCA)
	if err != nil {
		return err
	}
	if _, err := h.writePair(ca, etcdServer, identity{name: "etcd", hosts: []string{"127.0.0.1", "localhost"}}); err != nil {
		return err
	}
	_, err = h.writePair(ca, etcdClient, identity{name: "kube-apiserver"})
	return err
}

func (h home) writeClusterPKI(server string) error {
	ca, err := h.writeAuthority(clusterCA)
	if err != nil {
		return err
	}
	loopback := []string{"127.0.0.1", "localhost"}
	service := []string{apiserverService, "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
	for name, id := range map[string]identity{
		apiserverServer:         {name: "kube-apiserver", hosts: append(service, loopback...)},
		controllerManagerServer: {name: "kube-controller-manager", hosts: loopback},
	} {
		if _, err := h.writePair(ca, name, id); err != nil {
			return err
		}
	}
	return h.writeClients(ca, server)
}

// writeClients writes the two clients of the API server that exist from the
// start. RBAC knows the group and the user.
func (h home) writeClients(ca *authority, server string) error {
	admin, err := h.writePair(ca, adminClient, identity{name: "kubernetes-admin", groups: []string{"system:masters"}})
	if err != nil {
		return err
	}
	manager, err := h.writePair(ca, controllerManagerClient, identity{name: "system:kube-controller-manager"})
	if err != nil {
		return err
	}
	if err := writeFile(h.pki(controllerManagerKubeconfig), kubeconfig(server, "controller-manager", ca.pair.cert, manager)); err != nil {
		return err
	}
	return writeFile(h.kubeconfig(), kubeconfig(server, "admin", ca.pair.cert, admin))
}

func (h home) writeTokenKeys() error {
	key, err := newKey()
	if err != nil {
		return err
	}
	private, err := encodeKey(key)
	if err != nil {
		return err
	}
	public, err := encodePublicKey(key.Public())
	if err != nil {
		return err
	}
	return h.writeKeyFiles(tokenKey, private, tokenPublicKey, public)
}

func (h home) writeAuthority(name string) (*authority, error) {
	ca, err := newAuthority("sluice-" + name)
	if err != nil {
		return nil, err
	}
	return ca, h.writeKeyFiles(name+".key", ca.pair.key, name+".crt", ca.pair.cert)
}

func (h home) writePair(ca *authority, name string, id identity) (pair, error) {
	p, err := ca.issue(id)
	if err != nil {
		return pair{}, err
	}
	return p, h.writeKeyFiles(name+".key", p.key, name+".crt", p.cert)
}

func (h home) writeKeyFiles(keyName string, key []byte, name string, content []byte) error {
	if err := writeFile(h.pki(keyName), key); err != nil {
		return err
	}
	return writeFile(h.pki(name), content)
}
