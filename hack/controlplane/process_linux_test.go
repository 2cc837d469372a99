package controlplane

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func TestStartTicks(t *testing.T) {
	const rest = " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20"
	for stat, want := range map[string]string{
		"12 (etcd) S" + rest:            "4711",
		"12 (a) b ) S (c) R" + rest:     "4711",
		"12 (etcd) Z" + rest:            "", // a zombie has ended
		"12 (etcd) S 1 2 3":             "",
		"":                              "",
		"12 (etcd) X" + rest + " 21 22": "",
	} {
		if got, err := startTicks(stat); got != want || (err == nil) != (want != "") {
			t.Errorf("startTicks(%q) = %q, %v; want %q", stat, got, err, want)
		}
	}
}

// ownerEnv makes this test binary a program that owns a part and does nothing.
const ownerEnv = "CONTROLPLANE_TEST_OWNER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerEnv); dir != "" {
		ownPart(dir)
	}
	os.Exit(m.Run())
}

func TestPartsDieWithTheirOwner(t *testing.T) {
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), ownerEnv+"="+t.TempDir())
	owner.Stderr = os.Stderr
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	var p process
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&p); err != nil {
		t.Fatal(err)
	}
	if !p.alive() {
		t.Fatal("the part does not live")
	}
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait()
	if !p.gone(t.Context(), time.Minute) {
		t.Error("the part lives")
	}
}

func ownPart(dir string) {
	s := spec{name: "sleep", path: "/bin/sleep", args: []string{"1000"}}
	p, err := startPart(s, dir, filepath.Join(dir, "log"), diesWithUs, newParts().crash)
	if err != nil {
		panic(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(p.process); err != nil {
		panic(err)
	}
	select {}
}
