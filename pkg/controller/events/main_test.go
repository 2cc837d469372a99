package events

import (
	"os"
	"testing"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
)

func TestMain(m *testing.M) { os.Exit(controlplanetest.RunCheckingLeaks(m)) }
