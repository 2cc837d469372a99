package controlplane

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// release is what the nested module in server/ pins.
type release struct {
	dir        string // of the module
	kubernetes string // v1.36.3
	etcd       string // v3.6.16
	sum        string // a hash of go.mod and go.sum
}

// findRelease reads the nested module of the source tree that this program was
// compiled from, or that its working directory or its executable is in.
func findRelease() (release, error) {
	for _, dir := range candidates() {
		server := filepath.Join(dir, "server")
		if exists(filepath.Join(server, "go.mod")) {
			return readRelease(server)
		}
	}
	return release{}, fmt.Errorf("controlplane: the module hack/controlplane/server is not there; run inside a source tree of Sluice")
}

// candidates lists where this package may be, the likeliest first.
func candidates() []string {
	var dirs []string
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) { // not with -trimpath
		dirs = append(dirs, filepath.Dir(file))
	}
	if wd, err := os.Getwd(); err == nil {
		dirs = append(dirs, above(wd)...)
	}
	if exe, err := os.Executable(); err == nil {
		dirs = append(dirs, above(filepath.Dir(exe))...)
	}
	return dirs
}

// above lists hack/controlplane in dir and in each of its parents.
func above(dir string) []string {
	dirs := []string{filepath.Join(dir, "hack", "controlplane")}
	if parent := filepath.Dir(dir); parent != dir {
		dirs = append(dirs, above(parent)...)
	}
	return dirs
}

func readRelease(dir string) (release, error) {
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return release{}, err
	}
	sum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		return release{}, err
	}
	hash := sha256.Sum256(append(append(bytes.Clone(mod), 0), sum...))
	r := release{dir: dir, sum: hex.EncodeToString(hash[:])}
	if r.kubernetes, err = pinned(mod, "k8s.io/kubernetes"); err != nil {
		return release{}, err
	}
	r.etcd, err = pinned(mod, "go.etcd.io/etcd/server/v3")
	return r, err
}

// pinned finds the version of a module in the require blocks of a go.mod.
func pinned(mod []byte, module string) (string, error) {
	lines := bufio.NewScanner(bytes.NewReader(mod))
	for lines.Scan() {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(lines.Text()), "require "))
		if len(fields) >= 2 && fields[0] == module && strings.HasPrefix(fields[1], "v") {
			return fields[1], nil
		}
	}
	return "", fmt.Errorf("controlplane: go.mod requires no %s", module)
}
