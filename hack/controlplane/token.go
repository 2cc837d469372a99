package controlplane

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	// tokenIssuer is also the audience of tokens for the API server.
	tokenIssuer = "https://kubernetes.default.svc.cluster.local"

	// tokenLeeway is for how long the API server accepts an expired token, in
	// case clocks differ: DefaultLeeway of gopkg.in/go-jose/go-jose.v2/jwt.
	tokenLeeway = time.Minute
)

// Token returns a bearer token of a service account that the API server accepts
// for the lifetime, rounded up to seconds, and up to 10 seconds longer if it has
// seen it: for so long it remembers that a token was good. An API server's own
// tokens live 10 minutes at least. The account must exist; it has no rights but
// those that RBAC gives it.
func (c *ControlPlane) Token(ctx context.Context, namespace, account string, lifetime time.Duration) (string, error) {
	var token string
	err := c.change(func(l *launcher) (err error) {
		token, err = l.token(ctx, namespace, account, lifetime)
		return err
	})
	return token, err
}

func (l *launcher) token(ctx context.Context, namespace, account string, lifetime time.Duration) (string, error) {
	uid, err := l.accountUID(ctx, namespace, account)
	if err != nil {
		return "", fmt.Errorf("controlplane: service account %q: %w", namespace+"/"+account, err)
	}
	key, err := readKey(l.home.pki(tokenKey))
	if err != nil {
		return "", err
	}
	now := time.Now()
	return signToken(key, claims{
		Issuer:   tokenIssuer,
		Audience: []string{tokenIssuer},
		Subject:  "system:serviceaccount:" + namespace + ":" + account,
		Issued:   now.Add(-2 * tokenLeeway).Unix(),
		Expires:  now.Add(lifetime + time.Second - time.Nanosecond - tokenLeeway).Unix(),
		Kubernetes: bound{
			Namespace: namespace,
			Account:   boundAccount{Name: account, UID: uid},
		},
	})
}

func (l *launcher) accountUID(ctx context.Context, namespace, account string) (string, error) {
	var object struct{ Metadata struct{ UID string } }
	url := fmt.Sprintf("%s/api/v1/namespaces/%s/serviceaccounts/%s", loopbackURL(l.plan.ports.apiserver), namespace, account)
	err := prober{l.home}.read(ctx, clusterCA, adminClient, url, &object)
	return object.Metadata.UID, err
}

// claims are those of k8s.io/kubernetes/pkg/serviceaccount.
type claims struct {
	Issuer     string   `json:"iss"`
	Audience   []string `json:"aud"`
	Subject    string   `json:"sub"`
	Issued     int64    `json:"iat"` // seconds since 1970
	Expires    int64    `json:"exp"`
	Kubernetes bound    `json:"kubernetes.io"`
}

type bound struct {
	Namespace string       `json:"namespace"`
	Account   boundAccount `json:"serviceaccount"`
}

type boundAccount struct {
	Name string `json:"name"`
	UID  string `json:"uid"`
}

// signToken makes a JSON Web Token, RFC 7519, with the algorithm ES256 of RFC
// 7518: the signature is two numbers of 32 bytes.
func signToken(key *ecdsa.PrivateKey, c claims) (string, error) {
	content, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"ES256","typ":"JWT"}`)) + "." + encode(content)
	hash := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, hash[:])
	if err != nil {
		return "", err
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + encode(signature[:]), nil
}

func readKey(path string) (*ecdsa.PrivateKey, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, errors.New("no key in " + path)
	}
	return x509.ParseECPrivateKey(block.Bytes)
}
