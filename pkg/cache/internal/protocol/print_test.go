package protocol

import (
	"os"
	"strings"
	"testing"
)

func TestTheDocumentIsPrintedFromTheCode(t *testing.T) {
	const file = "../../../../docs/protocol.md"
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	if err := Print(&want); err != nil {
		t.Fatal(err)
	}
	if string(got) != want.String() {
		t.Errorf(`%s is not what the code says: run "make generate" and commit the result`, file)
	}
}
