//go:build unix && !linux

package controlplane

import "net"

// port was free a moment ago; nothing holds it.
type port struct{ number int }

func holdPort() (*port, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &port{number: l.Addr().(*net.TCPAddr).Port}, l.Close()
}

func (*port) release() error { return nil }
