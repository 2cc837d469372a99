package lease

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/transport"
)

// Wrap returns a transport that passes on what the fence lets through. It has the form of rest.Config.Wrap's argument. Reads,
// which are requests with the method GET, HEAD or OPTIONS, always pass. So does what writes by such a method: an exec, attach
// or port-forward by WebSocket, a GET through a proxy subresource; and so do the requests of the fence's own elector. Everything
// else is a write, also a dry run and a review of access or of a token, which are POST requests. A request that client-go repeats
// is looked at each time.
//
// A write that is refused is not sent. One that is admitted is broken off when the fence is closed before the response's head
// has come, so that it does not wait for a connection and leave later; the server may have carried it out. Both return errors
// that wrap [ErrNotLeader], as those of clients that use the transport do.
func (f *Fence) Wrap(base http.RoundTripper) http.RoundTripper {
	return &fenced{transport.Layer{Next: base}, f}
}

// A fenced is a transport that sends no write while the fence is closed.
type fenced struct {
	transport.Layer

	fence *Fence
}

func (t *fenced) RoundTrip(request *http.Request) (*http.Response, error) {
	if isRead(request.Method) || t.fence.passes(request.Context()) {
		return t.Next.RoundTrip(request)
	}
	held, err := t.fence.admit()
	if err != nil {
		return nil, errors.Join(err, closeBody(request))
	}
	defer t.fence.depart()
	return t.send(request, held)
}

func isRead(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions: // empty means GET
		return true
	default:
		return false
	}
}

// closeBody does what a RoundTripper must also if it sends nothing.
func closeBody(request *http.Request) error {
	if request.Body == nil {
		return nil
	}
	return request.Body.Close()
}

// send sends a request unless held ends meanwhile. Who reads the response has all the time of the request's context.
func (t *fenced) send(request *http.Request, held context.Context) (*http.Response, error) { //nolint:revive // the request's context is the other
	ctx, cancel := context.WithCancelCause(request.Context())
	stop := context.AfterFunc(held, func() { cancel(context.Cause(held)) })
	response, err := t.Next.RoundTrip(request.WithContext(ctx))
	switch inTime := stop(); {
	case !inTime:
		return nil, t.brokenOff(held, response, err)
	case err != nil:
		cancel(nil)
		return nil, err
	case response.StatusCode == http.StatusSwitchingProtocols:
		return response, nil // its body is a connection, and lasts as long as the request's context
	default:
		response.Body = &body{response.Body, cancel}
		return response, nil
	}
}

// brokenOff returns the error of a write that was under way when the fence was closed. If a response has just come nobody can rely on
// the rest of it.
func (t *fenced) brokenOff(held context.Context, response *http.Response, err error) error {
	if err == nil {
		err = errAnswered
		_ = response.Body.Close() // it is of no use any more
	}
	t.fence.refused.Add(1)
	return fmt.Errorf("%w: lease %q: write broken off, it may have been carried out: %w: %w", ErrNotLeader, t.fence.name, context.Cause(held), err)
}

// A body frees the context of its request when it is closed.
type body struct {
	io.ReadCloser

	cancel context.CancelCauseFunc
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}
