package factory

import (
	"cmp"
	"strings"
)

// An Identity says which informer it is: those who ask for the same share it. Its fields are fit for the labels of metrics.
type Identity struct {
	Cluster       string // see [Factory.Cluster]
	Resource      string // see [Options]
	Namespaces    string // in order, with commas between; empty for all, or with a Scope
	Scope         string // name of the [Scope], if there is one
	LabelSelector string // in one spelling of several
	FieldSelector string
	Variant       string
}

// String describes the informer in logs and errors, such as "east/core/v1.Pod, namespaces a,b, labels app=web".
func (id Identity) String() string {
	var text strings.Builder
	if id.Cluster != "" {
		text.WriteString(id.Cluster + "/")
	}
	text.WriteString(id.Resource)
	for _, part := range []struct{ name, value string }{
		{"namespaces", id.Namespaces},
		{"scope", id.Scope},
		{"labels", id.LabelSelector},
		{"fields", id.FieldSelector},
		{"variant", id.Variant},
	} {
		if part.value != "" {
			text.WriteString(", " + part.name + " " + part.value)
		}
	}
	return text.String()
}

// compare orders identities by their fields.
func (id Identity) compare(other Identity) int {
	return cmp.Or(
		cmp.Compare(id.Cluster, other.Cluster),
		cmp.Compare(id.Resource, other.Resource),
		cmp.Compare(id.Namespaces, other.Namespaces),
		cmp.Compare(id.Scope, other.Scope),
		cmp.Compare(id.LabelSelector, other.LabelSelector),
		cmp.Compare(id.FieldSelector, other.FieldSelector),
		cmp.Compare(id.Variant, other.Variant),
	)
}
