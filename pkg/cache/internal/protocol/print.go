package protocol

import (
	"fmt"
	"io"
	"strings"
)

// Print writes the tables as Markdown. test returns the name of the test that plays a rule or an incident.
func Print(w io.Writer, test func(id string) string) error {
	var text strings.Builder
	text.WriteString("| request | ends | next request | from version | wait | relist because of | test |\n|-|-|-|-|-|-|-|\n")
	for _, r := range Rules() {
		fmt.Fprintf(&text, "| %s | %s: %s | %s | %s | %s | %s | `%s` |\n",
			r.On, r.Ending, r.Ending.Meaning(), r.next(), r.version(), r.Wait, r.causes(), test(r.ID))
	}
	text.WriteString("\n| during a request | reaction | test |\n|-|-|-|\n")
	for _, i := range Incidents() {
		fmt.Fprintf(&text, "| %s | %s | `%s` |\n", i.Meaning, i.Reaction, test(i.ID))
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
		return "as before, not older than last seen"
	}
}

func (r Rule) causes() string {
	if r.ThenCause != "" {
		return strings.TrimPrefix(string(r.Cause)+"; then "+string(r.ThenCause), "; ")
	}
	return string(r.Cause)
}
