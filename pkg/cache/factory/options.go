package factory

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// Options say what an informer is to hold. The zero value means all objects of a type. Who asks with the same options gets
// the same informer.
type Options struct {
	// Resource names what is read, in the informer's [Identity]. It must be set where the type does not say what is read, that is
	// for *unstructured.Unstructured and *metav1.PartialObjectMetadata; one cluster has one type for a name and variant.
	// Defaults to the type with the end of its package's path, such as "core/v1.Pod".
	Resource string

	// Namespaces to read; their order does not matter. Defaults to all.
	Namespaces []string

	// Scope has the namespaces to read instead, and may change them. See [Scope].
	Scope *Scope

	// LabelSelector and FieldSelector restrict what is read, in the form that kubectl takes. Of fields servers know few.
	LabelSelector, FieldSelector string

	// ListOptions changes the options of every request in other ways, under the rules of [cache.Config]. It needs a Variant.
	// A selector that it sets holds in addition to those here.
	ListOptions func(*metav1.ListOptions)

	// Variant names what functions do to the objects. Functions can't be compared, so that informers with transforms or
	// ListOptions must have one: those who ask for the same variant say that their functions do the same. Then the functions
	// of the first who asks are used.
	Variant string
}

// identify returns which informer of T the options mean, or an error that names the field that is wrong.
func identify[T cache.Object](cluster string, o Options, transforms int) (Identity, error) {
	id := Identity{Cluster: cluster, Resource: o.Resource, Variant: o.Variant}
	if id.Resource == "" {
		id.Resource = resourceOf[T]()
	}
	var errs [5]error
	id.Namespaces, errs[0] = joinNamespaces("Options.Namespaces", o.Namespaces)
	id.LabelSelector, errs[1] = canonicalLabels(o.LabelSelector)
	id.FieldSelector, errs[2] = canonicalFields(o.FieldSelector)
	if o.Scope != nil {
		id.Scope = o.Scope.name
		if len(o.Namespaces) > 0 {
			errs[3] = errors.New("Options.Scope: it has the namespaces, so that Options.Namespaces must be empty")
		}
	}
	if o.Variant == "" && (transforms > 0 || o.ListOptions != nil) {
		errs[4] = errors.New("Options.Variant is empty; it must name what the transforms and ListOptions do")
	}
	if id.Resource == "" {
		return id, fmt.Errorf("factory: Options.Resource is empty; it must name the resource, as a %v may be of any",
			reflect.TypeFor[T]())
	}
	if err := errors.Join(errs[:]...); err != nil {
		return id, fmt.Errorf("factory: %v: %w", id, err)
	}
	return id, nil
}

// resourceOf returns the default of [Options.Resource], empty if there is none.
func resourceOf[T cache.Object]() string {
	var none T
	switch any(none).(type) {
	case *unstructured.Unstructured, *metav1.PartialObjectMetadata:
		return ""
	}
	kind := reflect.TypeFor[T]()
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	path := strings.Split(kind.PkgPath(), "/")
	return strings.Join(path[max(0, len(path)-2):], "/") + "." + kind.Name()
}

func canonicalLabels(selector string) (string, error) {
	parsed, err := labels.Parse(selector)
	if err != nil {
		return selector, fmt.Errorf("Options.LabelSelector %q: %w", selector, err)
	}
	return parsed.String(), nil
}

func canonicalFields(selector string) (string, error) {
	parsed, err := fields.ParseSelector(selector)
	if err != nil {
		return selector, fmt.Errorf("Options.FieldSelector %q: %w", selector, err)
	}
	var terms []string
	for _, r := range parsed.Requirements() { // in order
		terms = append(terms, fmt.Sprintf("%s%s%s", r.Field, r.Operator, fields.EscapeValue(r.Value)))
	}
	return strings.Join(slices.Compact(terms), ","), nil
}

// listOptions returns what changes a request as the options, and before them change, want it.
func (o Options) listOptions(id Identity, change func(*metav1.ListOptions)) func(*metav1.ListOptions) {
	return func(opts *metav1.ListOptions) {
		for _, change := range []func(*metav1.ListOptions){change, o.ListOptions} {
			if change != nil {
				change(opts)
			}
		}
		opts.LabelSelector = both(opts.LabelSelector, id.LabelSelector)
		opts.FieldSelector = both(opts.FieldSelector, id.FieldSelector)
	}
}

// both returns the selector of what two select.
func both(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "," + b
}
