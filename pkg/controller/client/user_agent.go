package client

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
)

// module is where this library comes from.
const module = "github.com/sluice-k8s/sluice"

// UserAgent returns what a program calls itself in requests, like "crontab/v1.2.0 (linux/amd64) sluice/v0.3.0". The name
// defaults to that of the program's file, and the version to that of its module; parts of which the build knows no version
// have "devel".
func UserAgent(name, version string) string {
	main, library := versions()
	return fmt.Sprintf("%s/%s (%s/%s) sluice/%s",
		cmp.Or(name, filepath.Base(os.Args[0])), cmp.Or(version, main), runtime.GOOS, runtime.GOARCH, library)
}

// versions returns those of the program and of this library.
func versions() (main, library string) {
	main, library = "devel", "devel"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return main, library
	}
	if known(info.Main.Version) {
		main = info.Main.Version
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == module && known(m.Version) {
			library = m.Version
		}
	}
	return main, library
}

func known(version string) bool { return version != "" && version != "(devel)" }
