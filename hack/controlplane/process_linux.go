package controlplane

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// startOf tells when a process started: the boot and the clock ticks since
// then, see proc_pid_stat(5). It is an error if there is none, or a zombie.
func startOf(pid int) (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	ticks, err := startTicks(string(stat))
	return strings.TrimSpace(string(boot)) + "/" + ticks, err
}

// startTicks reads field 22 of a stat line. The second field, the command in
// parentheses, may hold anything.
func startTicks(stat string) (string, error) {
	const state, starttime = 0, 19 // counted from the third field
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= starttime {
		return "", fmt.Errorf("unexpected process status %q", stat)
	}
	if fields[state] == "Z" || fields[state] == "X" {
		return "", errors.New("process has ended")
	}
	return fields[starttime], nil
}

// attributes puts a child into a session of its own, away from the terminal's
// signals. The child gets deathSignal, if any, when the thread that started it
// ends: see PR_SET_PDEATHSIG in prctl(2).
func attributes(deathSignal syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: deathSignal}
}
