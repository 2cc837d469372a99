//go:build unix

package controlplane

import (
	"os"
	"syscall"
)

// isPrivate tells whether dir is a directory, no link, that belongs to the user
// and that nobody else can enter.
func isPrivate(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o077 != 0 {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
