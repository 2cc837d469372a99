package controlplane

import (
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

func TestPKIVouchesForItsHolders(t *testing.T) {
	h := home{dir: t.TempDir()}
	if err := h.writePKI("https://127.0.0.1:6443"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		ca, cert string
		usage    x509.ExtKeyUsage
		host     string
		want     bool
	}{
		{clusterCA, apiserverServer, x509.ExtKeyUsageServerAuth, "kubernetes.default.svc", true},
		{clusterCA, apiserverServer, x509.ExtKeyUsageServerAuth, "127.0.0.1", true},
		{clusterCA, apiserverServer, x509.ExtKeyUsageServerAuth, "example.com", false},
		{clusterCA, controllerManagerServer, x509.ExtKeyUsageServerAuth, "127.0.0.1", true},
		{clusterCA, adminClient, x509.ExtKeyUsageClientAuth, "", true},
		{clusterCA, adminClient, x509.ExtKeyUsageServerAuth, "", false},
		{etcdCA, etcdServer, x509.ExtKeyUsageClientAuth, "127.0.0.1", true}, // as a peer
		{etcdCA, etcdClient, x509.ExtKeyUsageClientAuth, "", true},
		{etcdCA, adminClient, x509.ExtKeyUsageClientAuth, "", false}, // no way around RBAC
	} {
		roots := x509.NewCertPool()
		roots.AddCert(certificate(t, h, test.ca))
		_, err := certificate(t, h, test.cert).Verify(x509.VerifyOptions{
			Roots: roots, DNSName: test.host, KeyUsages: []x509.ExtKeyUsage{test.usage},
		})
		if (err == nil) != test.want {
			t.Errorf("%s trusts %s for usage %d at %q: %v; want %t", test.ca, test.cert, test.usage, test.host, err, test.want)
		}
	}
}

func TestPKIIsPrivate(t *testing.T) {
	h := home{dir: t.TempDir()}
	if err := h.writePKI("https://127.0.0.1:6443"); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(h.pki(""), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestKubeconfigIsUnderstoodByClients(t *testing.T) {
	h := home{dir: t.TempDir()}
	if err := h.writePKI("https://127.0.0.1:6443"); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", h.kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	if config.Host != "https://127.0.0.1:6443" {
		t.Errorf("host = %q", config.Host)
	}
	if subject := parseCertificate(t, config.CertData).Subject.String(); subject != "CN=kubernetes-admin,O=system:masters" {
		t.Errorf("subject = %s", subject)
	}
}

func certificate(t *testing.T, h home, name string) *x509.Certificate {
	t.Helper()
	b, err := os.ReadFile(h.pki(name + ".crt"))
	if err != nil {
		t.Fatal(err)
	}
	return parseCertificate(t, b)
}

func parseCertificate(t *testing.T, b []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(b)
	if block == nil {
		t.Fatalf("no certificate in %q", b)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
