package controlplane

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Binaries are compiled parts.
type Binaries struct {
	Dir        string
	Kubernetes string // the version, such as v1.36.3
	Etcd       string // the version, such as v3.6.16
}

func (b Binaries) path(part string) string { return filepath.Join(b.Dir, part) }

// complete tells whether there is nothing to compile. The directory appears at
// once, but somebody may have tidied up in it.
func (b Binaries) complete() bool {
	return exists(b.path(etcd)) && exists(b.path(apiserver)) && exists(b.path(controllerManager))
}

// Build compiles the control plane into o.CacheDir unless it is there. Several
// processes may build at once: one compiles, the others wait.
func Build(ctx context.Context, o Options) (Binaries, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Binaries{}, err
	}
	r, err := findRelease()
	if err != nil {
		return Binaries{}, err
	}
	bin := Binaries{
		Dir:        filepath.Join(o.CacheDir, "controlplane", r.key()),
		Kubernetes: r.kubernetes,
		Etcd:       r.etcd,
	}
	if bin.complete() {
		return bin, nil
	}
	return bin, o.fill(ctx, bin, r)
}

// fill compiles into the directory of bin under a lock.
func (o Options) fill(ctx context.Context, bin Binaries, r release) error {
	if err := os.MkdirAll(filepath.Dir(bin.Dir), 0o755); err != nil {
		return err
	}
	lock, err := awaitLock(ctx, bin.Dir+".lock", func(held error) { o.logf("waiting for another build: %v", held) })
	if err != nil {
		return err
	}
	defer lock.release()
	if bin.complete() {
		return nil
	}
	temp := bin.Dir + ".partial"
	if err := errors.Join(os.RemoveAll(temp), os.RemoveAll(bin.Dir)); err != nil {
		return err
	}
	if err := o.compile(ctx, r, temp); err != nil {
		return errors.Join(err, os.RemoveAll(temp))
	}
	return os.Rename(temp, bin.Dir)
}

// packages are the main packages of the parts.
func (release) packages() []string {
	return []string{
		"go.etcd.io/etcd/server/v3",
		"k8s.io/kubernetes/cmd/kube-apiserver",
		"k8s.io/kubernetes/cmd/kube-controller-manager",
	}
}

// flags of go build. The binaries depend on no file outside the modules, and
// nothing is compiled that the linker strips.
func (r release) flags() []string {
	return []string{"-v", "-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false", "-ldflags=" + r.ldflags()}
}

// ldflags strip the binaries and stamp the version, in the two packages that
// Kubernetes' own hack/lib/version.sh stamps. The date of the build stays at
// their default, 1970.
func (r release) ldflags() string {
	major, rest, _ := strings.Cut(strings.TrimPrefix(r.kubernetes, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags,
			"-X="+pkg+".gitVersion="+r.kubernetes,
			"-X="+pkg+".gitMajor="+major,
			"-X="+pkg+".gitMinor="+minor,
			"-X="+pkg+".gitTreeState=clean",
			"-X="+pkg+".gitCommit=")
	}
	return strings.Join(flags, " ")
}

// goSettings replace what the environment says, as far as it could change or
// break the build. GOGC spares the compilers a sixth of their time.
func goSettings() []string {
	return []string{
		"GOOS=" + runtime.GOOS,
		"GOARCH=" + runtime.GOARCH,
		"GOFLAGS=-mod=readonly",
		"GOWORK=off",
		"GO111MODULE=on",
		"CGO_ENABLED=0",
		"GOGC=400",
	}
}

// key names the binaries after everything that makes them what they are.
func (r release) key() string {
	hash := sha256.New()
	for _, s := range append(append(r.flags(), goSettings()...), r.sum) {
		fmt.Fprintln(hash, s)
	}
	goRelease := strings.Fields(runtime.Version())[0]
	return fmt.Sprintf("kubernetes-%s_etcd-%s_%s_%s-%s_%s", r.kubernetes, r.etcd, goRelease,
		runtime.GOOS, runtime.GOARCH, hex.EncodeToString(hash.Sum(nil))[:12])
}

func defaultCacheDir() (string, error) {
	if dir := os.Getenv("SLUICE_CACHE_DIR"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("controlplane: no cache directory; set SLUICE_CACHE_DIR: %w", err)
	}
	return filepath.Join(dir, "sluice"), nil
}
