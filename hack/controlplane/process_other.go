//go:build unix && !linux

package controlplane

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// startOf tells when a process started, to the second. It is an error if there
// is none, or a zombie.
func startOf(pid int) (string, error) {
	out, err := exec.Command("ps", "-o", "stat=,lstart=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return "", err
	}
	stat, started, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if stat == "" || stat[0] == 'Z' {
		return "", fmt.Errorf("process %d has ended", pid)
	}
	return strings.TrimSpace(started), nil
}

// attributes puts a child into a session of its own, away from the terminal's
// signals. There is no death signal outside Linux.
func attributes(syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true}
}
