package crontab

import (
	"flag"
	"os"
	"testing"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // the tests mostly wait
		panic(err)
	}
	os.Exit(controlplanetest.RunCheckingLeaks(m))
}
