package controlplane

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// probeTimeout bounds one question to a part.
const probeTimeout = 5 * time.Second

// prober asks the parts of a control plane over HTTPS, one connection per
// question.
type prober struct{ home home }

// health returns nil if the part that listens on the port is healthy.
func (p prober) health(ctx context.Context, part string, port int) error {
	switch part {
	case etcd:
		return p.get(ctx, etcdCA, etcdClient, loopbackURL(port)+"/health")
	case apiserver:
		return p.get(ctx, clusterCA, adminClient, loopbackURL(port)+"/readyz")
	default:
		return p.get(ctx, clusterCA, "", loopbackURL(port)+"/healthz")
	}
}

// exists returns nil if the API server at the port has the object.
func (p prober) exists(ctx context.Context, port int, path string) error {
	return p.get(ctx, clusterCA, adminClient, loopbackURL(port)+path)
}

// get returns nil if the answer is 200, and else the end of the answer.
func (p prober) get(ctx context.Context, ca, client, url string) error {
	_, err := p.ask(ctx, ca, client, http.MethodGet, url, nil)
	return err
}

// read decodes the JSON answer to a GET.
func (p prober) read(ctx context.Context, ca, client, url string, answer any) error {
	body, err := p.ask(ctx, ca, client, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, answer)
}

// post sends the question as JSON and decodes the answer, also JSON.
func (p prober) post(ctx context.Context, ca, client, url string, question, answer any) error {
	content, err := json.Marshal(question)
	if err != nil {
		return err
	}
	body, err := p.ask(ctx, ca, client, http.MethodPost, url, content)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, answer)
}

// ask returns the first 64 KiB of an answer. It is an error if that is not 200.
func (p prober) ask(ctx context.Context, ca, client, method, url string, content []byte) ([]byte, error) {
	tlsConfig, err := p.tls(ca, client)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: tlsConfig, DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode == http.StatusOK {
		return body, err
	}
	return nil, fmt.Errorf("%s %s: %s: %s", method, url, resp.Status, failing(string(body)))
}

func (p prober) tls(ca, client string) (*tls.Config, error) {
	pem, err := os.ReadFile(p.home.pki(ca + ".crt"))
	if err != nil {
		return nil, err
	}
	c := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate in " + p.home.pki(ca+".crt"))
	}
	if client == "" {
		return c, nil
	}
	cert, err := tls.LoadX509KeyPair(p.home.pki(client+".crt"), p.home.pki(client+".key"))
	c.Certificates = []tls.Certificate{cert}
	return c, err
}

// failing reduces a health report to the checks that fail, which start with
// "[-]". Any other answer is cut to its last line.
func failing(report string) string {
	var failed []string
	for line := range strings.Lines(report) {
		if check, ok := strings.CutPrefix(line, "[-]"); ok {
			failed = append(failed, strings.TrimSpace(check))
		}
	}
	if len(failed) > 0 {
		return strings.Join(failed, ", ")
	}
	return lastLines(report, 1)[0]
}
