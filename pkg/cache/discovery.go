package cache

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// A resource is the name under which a server has the objects of a kind. Typed clients know it, but do not tell: then the
// server is asked, once, before the first request. Sources of several namespaces share one.
type resource struct {
	kind   string // empty if the name was given
	name   atomic.Pointer[string]
	asking chan struct{} // holds a token while the server is being asked
}

func namedResource(name string) *resource {
	r := &resource{}
	r.name.Store(&name)
	return r
}

func resourceOf(kind string) *resource { return &resource{kind: kind, asking: make(chan struct{}, 1)} }

// find returns the name. It asks the server, through a client of the kind's group and version, unless the name is known.
func (r *resource) find(ctx context.Context, client rest.Interface) (string, error) {
	if name := r.name.Load(); name != nil {
		return *name, nil
	}
	select {
	case r.asking <- struct{}{}:
		defer func() { <-r.asking }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if name := r.name.Load(); name != nil { // somebody else has asked meanwhile
		return *name, nil
	}
	name, err := discover(ctx, client, r.kind)
	if err != nil {
		return "", err
	}
	r.name.Store(&name)
	return name, nil
}

// forget has the server asked again before the next request, unless the name was given.
func (r *resource) forget() {
	if r.kind != "" {
		r.name.Store(nil)
	}
}

// discover asks a server which resource has the objects of a kind. If that is forbidden it guesses.
func discover(ctx context.Context, client rest.Interface, kind string) (string, error) {
	version := client.APIVersion()
	resources, err := resourcesOf(ctx, client)
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case apierrors.IsNotFound(err):
		return "", noResource(version, kind)
	case apierrors.IsForbidden(err):
		plural, _ := meta.UnsafeGuessKindToResource(version.WithKind(kind))
		return plural.Resource, nil
	case err != nil:
		return "", fmt.Errorf("ask for the resource of kind %s in %s: %w", kind, version, err)
	}
	at := slices.IndexFunc(resources, func(r metav1.APIResource) bool {
		return r.Kind == kind && !strings.Contains(r.Name, "/") && slices.Contains(r.Verbs, "list")
	})
	if at < 0 {
		return "", noResource(version, kind)
	}
	return resources[at].Name, nil
}

// maxDiscovery is the most that is read of an answer, in bytes. That of a built-in group has some kilobytes.
const maxDiscovery = 16 << 20

// resourcesOf returns what there is in the client's group and version. A watch may be about to follow, so that it does not wait
// for the client's rate limit either.
func resourcesOf(ctx context.Context, client rest.Interface) ([]metav1.APIResource, error) {
	body, err := client.Get().SetHeader("Accept", runtime.ContentTypeJSON).Throttle(nil).MaxRetries(0).Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var list metav1.APIResourceList
	err = json.NewDecoder(io.LimitReader(body, maxDiscovery)).Decode(&list)
	return list.APIResources, err
}

// noResource returns an error for which [apierrors.IsNotFound] holds.
func noResource(version schema.GroupVersion, kind string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusNotFound,
		Reason:  metav1.StatusReasonNotFound,
		Message: fmt.Sprintf("no such resource: kind %s in %s: is the CRD installed?", kind, version),
	}}
}
