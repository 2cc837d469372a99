package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/transport"
)

// A TimeoutError says that a request took longer than [Options.Timeout]. It is a net.Error that has timed out, and
// context.DeadlineExceeded. It may have been carried out all the same.
type TimeoutError struct {
	Method, Path string
	After        time.Duration
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("%s %s is not answered completely after %v (client.Options.Timeout)", e.Method, e.Path, e.After)
}

// Timeout returns true.
func (e *TimeoutError) Timeout() bool { return true }

// Temporary returns true.
func (e *TimeoutError) Temporary() bool { return true }

// Is says that it is a context.DeadlineExceeded.
func (e *TimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// A timer is a transport that ends requests that take too long. rest.Config.Timeout would end watches too.
type timer struct {
	transport.Layer

	limit time.Duration
}

func timeouts(limit time.Duration) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper { return &timer{transport.Layer{Next: next}, limit} }
}

func (t *timer) RoundTrip(request *http.Request) (*http.Response, error) {
	if lasts(request) {
		return t.Next.RoundTrip(request)
	}
	late := &TimeoutError{request.Method, request.URL.Path, t.limit}
	ctx, cancel := context.WithTimeoutCause(request.Context(), t.limit, late)
	response, err := t.Next.RoundTrip(request.WithContext(ctx))
	if err != nil {
		err = explain(ctx, err)
		cancel()
		return nil, err
	}
	response.Body = &body{response.Body, ctx, cancel}
	return response, nil
}

// explain returns the time-out instead of what the transport makes of it.
func explain(ctx context.Context, err error) error {
	if late, ok := errors.AsType[*TimeoutError](context.Cause(ctx)); ok {
		return late
	}
	return err
}

// A body is an answer that must be read in time.
type body struct {
	io.ReadCloser

	ctx    context.Context //nolint:containedctx // its life is that of the answer
	cancel context.CancelFunc
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = explain(b.ctx, err)
	}
	return n, err
}

func (b *body) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// lasts says whether a request is meant to take long. It goes by the rule of the API server, which is
// BasicLongRunningRequestCheck with the arguments of its DefaultBuildHandlerChain: watch and proxy, and subresources
// attach, exec, proxy, log and portforward; and by the header of those that leave HTTP.
func lasts(request *http.Request) bool {
	if request.Header.Get("Upgrade") != "" {
		return true
	}
	if watch, err := strconv.ParseBool(request.URL.Query().Get("watch")); err == nil && watch {
		return true
	}
	parts := strings.Split(request.URL.Path, "/")
	for n, part := range parts {
		if lastsAt(part, parts[n+1:]) {
			return true
		}
	}
	return false
}

// lastsAt looks at a part of a path and the rest.
func lastsAt(part string, rest []string) bool {
	switch part {
	case "api": // api/v1/watch/...
		return len(rest) > 1 && rest[1] == "watch"
	case "apis": // apis/apps/v1/watch/...
		return len(rest) > 2 && rest[2] == "watch"
	case "pods", "services", "nodes":
		return len(rest) > 1 && slices.Contains([]string{"attach", "exec", "proxy", "log", "portforward"}, rest[1])
	default:
		return false
	}
}
