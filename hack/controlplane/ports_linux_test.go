package controlplane

import (
	"net"
	"strconv"
	"testing"
)

func TestReservedPortsAreOurs(t *testing.T) {
	p, err := reservePorts()
	if err != nil {
		t.Fatal(err)
	}
	different := map[int]bool{p.etcd: true, p.peer: true, p.apiserver: true, p.controllerManager: true}
	if len(different) != 4 || different[0] {
		t.Errorf("ports = %+v, want four", p)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(p.apiserver))
	if l, err := net.Listen("tcp", address); err == nil {
		t.Errorf("somebody else listens on %v", l.Addr())
		_ = l.Close()
	}
	if err := p.release(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	_ = l.Close()
}
