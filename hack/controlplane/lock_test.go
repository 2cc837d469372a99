package controlplane

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestLockWaitsForHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := tryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := awaitLock(t.Context(), path, func(held error) {
		if !strings.Contains(held.Error(), strconv.Itoa(os.Getpid())) {
			t.Errorf("holder is not named: %v", held)
		}
		first.release()
	})
	if err != nil {
		t.Fatal(err)
	}
	second.release()
}

func TestLockStopsWaitingWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	holder, err := tryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.release()
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := awaitLock(ctx, path, func(error) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want %v", err, context.Canceled)
	}
}
