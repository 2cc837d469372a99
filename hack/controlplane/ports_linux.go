package controlplane

import (
	"fmt"
	"os"
	"syscall"
)

// soReusePort is SO_REUSEPORT, which package syscall lacks on some platforms:
// see asm-generic/socket.h.
const soReusePort = 0xf

// port is bound but does not listen. With SO_REUSEPORT on both sides another
// process of the same user may bind and listen too and gets every connection;
// the kernel never hands such a port out to a bind that asks for any.
type port struct {
	number int
	fd     int
}

func holdPort() (*port, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	p := &port{fd: fd}
	if err := p.bind(); err != nil {
		_ = p.release()
		return nil, fmt.Errorf("controlplane: reserve a port: %w", err)
	}
	return p, nil
}

func (p *port) bind() error {
	if err := syscall.SetsockoptInt(p.fd, syscall.SOL_SOCKET, soReusePort, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if err := syscall.Bind(p.fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return os.NewSyscallError("bind", err)
	}
	addr, err := syscall.Getsockname(p.fd)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	p.number = addr.(*syscall.SockaddrInet4).Port
	return nil
}

func (p *port) release() error { return syscall.Close(p.fd) }
