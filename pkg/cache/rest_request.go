package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// An Encoding is how objects come over the wire. A server that can't serve it answers in JSON: custom resources do not
// come in protobuf, CBOR is behind a feature gate of the server.
type Encoding string

// Encodings. AutoEncoding is protobuf for types with an Unmarshal method, as built-in ones have, and JSON for others; so is
// protobuf for a type without.
const (
	AutoEncoding     = Encoding("")
	JSONEncoding     = Encoding(runtime.ContentTypeJSON)
	ProtobufEncoding = Encoding(runtime.ContentTypeProtobuf)
	CBOREncoding     = Encoding(runtime.ContentTypeCBOR)
)

// A form is what the server is asked to send.
type form struct {
	encoding Encoding
	as       string // kind of meta.k8s.io/v1 to send instead of the objects, or of their list; empty for none
}

// form returns what T is decoded from. partial is the kind to ask for if T is nothing but metadata.
func (s *RESTSource[T]) form(partial string) form {
	_, protobuf := any(*new(T)).(interface{ Unmarshal(data []byte) error })
	f := form{encoding: s.options.Encoding}
	switch {
	case f.encoding == AutoEncoding && protobuf:
		f.encoding = ProtobufEncoding
	case f.encoding == AutoEncoding, f.encoding == ProtobufEncoding && !protobuf:
		f.encoding = JSONEncoding
	}
	if isPartial[T]() {
		f.as = partial
	}
	return f
}

// accept returns the value of the Accept header. JSON is the last resort, the whole objects in JSON the very last.
func (f form) accept() string {
	const json = runtime.ContentTypeJSON
	types := []string{json}
	if f.encoding != JSONEncoding {
		types = []string{string(f.encoding), json}
	}
	if f.as == "" {
		return strings.Join(types, ",")
	}
	as := ";as=" + f.as + ";g=meta.k8s.io;v=v1,"
	return strings.Join(types, as) + as + json
}

// open sends a request and returns the body of the answer, of which nothing is read yet.
func (s *RESTSource[T]) open(ctx context.Context, form form, opts metav1.ListOptions) (*restBody, error) {
	name, err := s.resource.find(ctx, s.client)
	if err != nil {
		return nil, err
	}
	body, err := s.request(name, form, opts).Stream(ctx)
	switch {
	case err == nil:
		return &restBody{body, ctx, nil}, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case apierrors.IsNotFound(err):
		s.resource.forget()
		return nil, fmt.Errorf("no such resource: %s in %s: is the CRD installed?: %w", name, s.client.APIVersion(), err)
	}
	return nil, err
}

func (s *RESTSource[T]) request(name string, form form, opts metav1.ListOptions) *rest.Request {
	request := s.client.Get().
		NamespaceIfScoped(s.options.Namespace, s.options.Namespace != "").
		Resource(name).
		SpecificallyVersionedParams(&opts, metav1.ParameterCodec, schema.GroupVersion{Version: "v1"}).
		SetHeader("Accept", form.accept()).
		Timeout(seconds(opts.TimeoutSeconds)).
		MaxRetries(0)
	if opts.Watch {
		request.Throttle(nil) // as client-go does: a watch that waits for its turn loses its place
	}
	if s.options.Request != nil {
		s.options.Request(request)
	}
	return request
}

func seconds(n *int64) time.Duration {
	if n == nil {
		return 0
	}
	return time.Duration(*n) * time.Second
}

func withTimeout(ctx context.Context, n *int64) (context.Context, context.CancelFunc) {
	if n == nil {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, seconds(n))
}

// A restBody is the body of an answer. It knows why reading it failed.
type restBody struct {
	io.ReadCloser
	ctx    context.Context // of the request
	failed error           // of Read, io.EOF aside
}

// Read implements [io.Reader].
func (b *restBody) Read(into []byte) (int, error) {
	n, err := b.ReadCloser.Read(into)
	if err != nil && !errors.Is(err, io.EOF) {
		b.failed = err
	}
	return n, err
}

// reason returns why a reader of the body got err: the end of the context, a failing connection, or err itself.
func (b *restBody) reason(err error) error {
	switch {
	case b.ctx.Err() != nil:
		return context.Cause(b.ctx)
	case b.failed != nil && !errors.Is(b.failed, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, b.failed)
	}
	return err
}

// timedOut says whether the Timeout of the rest.Config has ended the request.
func (b *restBody) timedOut() bool {
	return b.ctx.Err() == nil && errors.Is(b.failed, context.DeadlineExceeded)
}
