package client_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/pkg/controller/client"
)

// Frames of HTTP/2, RFC 9113.
const (
	preface      = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	typeSettings = 4
	typePing     = 6
)

// A mute is a server of HTTP/2 that takes requests and never answers, not even to a ping.
type mute struct {
	listener net.Listener
	first    sync.Once
	pinged   chan struct{} // closed at the first ping
}

func newMute(t *testing.T) *mute {
	t.Helper()
	helper := httptest.NewUnstartedServer(nil)
	helper.StartTLS() // for its certificate
	config := &tls.Config{Certificates: helper.TLS.Certificates, NextProtos: []string{"h2"}}
	helper.Close()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	m := &mute{listener: listener, pinged: make(chan struct{})}
	var serving sync.WaitGroup
	serving.Go(func() { // a client that has lost a connection before it has used it makes another
		for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
			serving.Go(func() { m.serve(conn) })
		}
	})
	t.Cleanup(func() { listener.Close(); serving.Wait() })
	return m
}

// serve reads the frames of a connection until the client closes it.
func (m *mute) serve(conn net.Conn) {
	defer conn.Close()
	settings := []byte{0, 0, 0, typeSettings, 0, 0, 0, 0, 0}
	if _, err := conn.Write(settings); err != nil {
		return
	}
	if _, err := io.CopyN(io.Discard, conn, int64(len(preface))); err != nil {
		return
	}
	for header := make([]byte, 9); ; {
		if _, err := io.ReadFull(conn, header); err != nil {
			return
		}
		if header[3] == typePing {
			m.first.Do(func() { close(m.pinged) })
		}
		length := binary.BigEndian.Uint32(header) >> 8
		if _, err := io.CopyN(io.Discard, conn, int64(length)); err != nil {
			return
		}
	}
}

// TestSilentConnectionIsTested would last for 45 s with the defaults of client-go, and for ever without pings.
func TestSilentConnectionIsTested(t *testing.T) {
	m := newMute(t)
	config := &rest.Config{Host: "https://" + m.listener.Addr().String(), TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
	options := client.Options{PingInterval: 20 * time.Millisecond, PingTimeout: 30 * time.Millisecond}
	if err := options.Apply(config); err != nil {
		t.Fatal(err)
	}
	clients := dial(t, config)
	stream, err := clients.Typed.CoreV1().RESTClient().Get().AbsPath("/api/v1/pods").Param("watch", "true").MaxRetries(0).Stream(t.Context())
	if err == nil {
		stream.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "client connection lost") {
		t.Errorf("the watch returned %v, want its connection to be given up", err)
	}
	<-m.pinged
}
