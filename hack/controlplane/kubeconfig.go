package controlplane

import (
	"encoding/base64"
	"fmt"
)

// kubeconfig returns a configuration of clients with one context. Neither the
// URL nor the user's name may need quoting.
func kubeconfig(server, user string, ca []byte, client pair) []byte {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters:
- name: sluice
  cluster:
    server: %s
    certificate-authority-data: %s
users:
- name: %s
  user:
    client-certificate-data: %s
    client-key-data: %s
contexts:
- name: sluice
  context:
    cluster: sluice
    user: %s
current-context: sluice
`, server, b64(ca), user, b64(client.cert), b64(client.key), user)
}
