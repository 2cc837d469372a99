// Command table prints docs/protocol.md.
package main

import (
	"fmt"
	"os"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/protocol"
)

func main() {
	if err := protocol.Print(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}
