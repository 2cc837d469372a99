package protocol

import (
	"fmt"
	"io"
	"strings"
)

const introduction = `# What the Reflector asks next

Printed from the code by ` + "`make generate`" + `: the rules are those of package pkg/cache/internal/protocol, and the tests, of
pkg/cache, play them over HTTP, byte by byte.

A request is one of

- **watch-list**: a watch that begins with all objects (WatchList, KEP-3157);
- **list**: all objects, in pages;
- **refresh**: the former, or the latter where the server is known not to do that, which is remembered for an hour from when it has answered a list instead;
- **watch**: changes since a version;
- **probe**: a list of at most one object, which tells the server's most recent version.

Waits grow with each ending in a row without progress, from Config.MinBackoff to Config.MaxBackoff, and are up to twice as
long at random. Retry-After makes a wait longer, up to Config.MaxBackoff. A watch has made progress if it has brought anything, or
lasted longer than Config.MaxBackoff. A watch-list that has brought all objects is a watch from then on.

A relist is counted by its cause in Status.Relists, the first with the cause "start"; how requests ended is in Status.Endings.

`

// Print writes the document about all rules and incidents, in Markdown.
func Print(w io.Writer) error {
	var text strings.Builder
	text.WriteString(introduction)
	text.WriteString("| request | ends | next request | from version | wait | relist because of | test |\n|-|-|-|-|-|-|-|\n")
	for _, r := range Rules() {
		fmt.Fprintf(&text, "| %s | %s: %s | %s | %s | %s | %s | `TestPaths/%s` |\n",
			r.On, r.Ending, r.Ending.Meaning(), r.next(), r.version(), r.Wait, r.causes(), r.ID)
	}
	text.WriteString("\nWhat does not end a request:\n\n| what comes | what is done | test |\n|-|-|-|\n")
	for _, i := range Incidents() {
		fmt.Fprintf(&text, "| %s | %s | `TestIncidents/%s` |\n", i.Meaning, i.Reaction, i.ID)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func (r Rule) next() string {
	next := r.Next.String()
	if r.Whole {
		next += ", in one piece"
	}
	if r.After > 0 {
		next += fmt.Sprintf("; %s after %d in a row", r.Then, r.After)
	}
	return next
}

func (r Rule) version() string {
	switch {
	case r.Next == Probe || r.Newest:
		return "most recent"
	case r.Next == Watch:
		return "last seen"
	default:
		return "not older than last seen"
	}
}

func (r Rule) causes() string {
	if r.ThenCause != "" {
		return strings.TrimPrefix(string(r.Cause)+"; then "+string(r.ThenCause), "; ")
	}
	return string(r.Cause)
}
