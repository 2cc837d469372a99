package lease

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// hands are the two clocks of a process, set by hand.
type hands struct{ instant }

func (h *hands) read() instant { return h.instant }

func (h *hands) pass(d time.Duration) { h.steady, h.wall = h.steady+d, h.wall.Add(d) }

// sleep is what suspending the machine does: only the wall clock goes on.
func (h *hands) sleep(d time.Duration) { h.wall = h.wall.Add(d) }

func openFence(h *hands) *Fence {
	f := newFence(Config{Name: "it", RenewDeadline: 10 * time.Second}, h.read)
	f.open(f.read())
	return f
}

func TestFenceReckonsByBothClocks(t *testing.T) {
	for name, test := range map[string]struct {
		happens func(h *hands, f *Fence)
		allowed bool
	}{
		"just in time":              {func(h *hands, f *Fence) { h.pass(10*time.Second - 1) }, true},
		"too late":                  {func(h *hands, f *Fence) { h.pass(10 * time.Second) }, false},
		"renewed":                   {func(h *hands, f *Fence) { h.pass(9 * time.Second); f.renew(f.read()); h.pass(9 * time.Second) }, true},
		"suspended":                 {func(h *hands, f *Fence) { h.sleep(time.Minute) }, false},
		"wall clock set back":       {func(h *hands, f *Fence) { h.sleep(-time.Hour); h.pass(10 * time.Second) }, false},
		"wall clock set back early": {func(h *hands, f *Fence) { h.sleep(-time.Hour); h.pass(9 * time.Second) }, true},
		"set back, then suspended":  {func(h *hands, f *Fence) { h.sleep(-time.Hour); f.remaining(); h.sleep(time.Minute) }, false},
		"closed":                    {func(h *hands, f *Fence) { f.close(errEnded) }, false},
		"closed, then renewed":      {func(h *hands, f *Fence) { f.close(errEnded); f.renew(f.read()) }, false},
	} {
		h := &hands{}
		f := openFence(h)
		test.happens(h, f)
		if err := f.Allowed(); (err == nil) != test.allowed || err != nil && !errors.Is(err, ErrNotLeader) {
			t.Errorf("%s: %v, want allowed %v", name, err, test.allowed)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

func answer(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

func TestClosedFencePassesReadsOnly(t *testing.T) {
	f := newFence(Config{Name: "it", RenewDeadline: time.Second}, (&hands{}).read)
	client := &http.Client{Transport: f.Wrap(roundTrip(answer))}
	for method, passes := range map[string]bool{
		"": true, "GET": true, "HEAD": true, "OPTIONS": true,
		"POST": false, "PUT": false, "PATCH": false, "DELETE": false, "CONNECT": false, "get": false, "MERGE": false,
	} {
		body := &closing{Reader: strings.NewReader("{}")}
		request, err := http.NewRequestWithContext(t.Context(), method, "https://server/api", body)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		if (err == nil) != passes || err != nil && !errors.Is(err, ErrNotLeader) {
			t.Errorf("%q: %v, want that it passes: %v", method, err, passes)
		}
		if !passes && !body.closed {
			t.Errorf("%q: the body was not closed", method)
		}
	}
	if got := f.Refused(); got != 7 {
		t.Errorf("%d refused, want 7", got)
	}
}

type closing struct {
	io.Reader

	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

func post(ctx context.Context, t *testing.T, transport http.RoundTripper) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://server/api", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	return (&http.Client{Transport: transport}).Do(request)
}

// A request waits for a connection. It must not leave after the lease.
func TestWhatIsStuckDoesNotLeaveLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := false
		stuck := roundTrip(func(request *http.Request) (*http.Response, error) {
			select {
			case <-time.After(time.Hour):
				left = true
				return answer(request)
			case <-request.Context().Done():
				return nil, request.Context().Err()
			}
		})
		s := &server{}
		p := start(t, s, Config{})
		p.leads()
		began := time.Now()
		time.AfterFunc(time.Minute, func() { s.heldBy("b") })
		_, err := post(t.Context(), t, p.Fence().Wrap(stuck))
		if !errors.Is(err, ErrNotLeader) || !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "may have been carried out") {
			t.Errorf("error %v", err)
		}
		between(t, "broken off", time.Since(began), time.Minute, time.Minute+2*time.Second)
		if left || p.Status().Refused != 1 {
			t.Errorf("left %v, %d refused", left, p.Status().Refused)
		}
		_ = p.ends()
	})
}

// The machine sleeps while a request waits for a connection. The timers do not know.
func TestWhatIsStuckIsBrokenOffSoonAfterASleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := New(Config{Client: &server{}, Name: "it"})
		if err != nil {
			t.Fatal(err)
		}
		var slept atomic.Int64
		awake := e.now
		e.now = func() instant {
			now := awake()
			now.wall = now.wall.Add(time.Duration(slept.Load()))
			return now
		}
		e.fence.now = e.now
		err = e.Run(t.Context(), func(ctx context.Context) error {
			time.Sleep(500 * time.Millisecond)
			slept.Store(int64(time.Hour))
			if e.Fence().Allowed() == nil {
				t.Error("allowed after the sleep")
			}
			began := time.Now()
			<-ctx.Done()
			between(t, "lost", time.Since(began), 0, glance)
			return nil
		})
		if !errors.Is(err, ErrLost) {
			t.Error(err)
		}
	})
}

// Whoever gave the lease up has nothing under way any more.
func TestWhatIsUnderWayEndsBeforeTheRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		e, err := New(Config{Client: s, Name: "it"})
		if err != nil {
			t.Fatal(err)
		}
		slow := roundTrip(func(request *http.Request) (*http.Response, error) {
			<-request.Context().Done()
			time.Sleep(time.Second) // it takes its time to break off
			if s.holder() == "" {
				t.Error("the lease was given up before")
			}
			return nil, request.Context().Err()
		})
		sent := make(chan error)
		_ = e.Run(t.Context(), func(context.Context) error {
			go func() {
				_, err := post(context.WithoutCancel(t.Context()), t, e.Fence().Wrap(slow))
				sent <- err
			}()
			synctest.Wait()
			return nil
		})
		if err := <-sent; !errors.Is(err, ErrNotLeader) || s.holder() != "" {
			t.Errorf("%v; held by %q", err, s.holder())
		}
	})
}

// A response that has begun to come is read to its end. Other errors stay what they are.
func TestResponsesAreReadToTheEnd(t *testing.T) {
	h := &hands{}
	f := openFence(h)
	var sent context.Context
	response, err := post(t.Context(), t, f.Wrap(roundTrip(func(request *http.Request) (*http.Response, error) {
		sent = request.Context() //nolint:fatcontext // to look at it
		return answer(request)
	})))
	if err != nil {
		t.Fatal(err)
	}
	f.close(errEnded)
	if sent.Err() != nil {
		t.Error("the context ended with the fence")
	}
	_ = response.Body.Close()
	if sent.Err() == nil {
		t.Error("the context outlived the response")
	}
	reset := errors.New("connection reset")
	_, err = post(t.Context(), t, openFence(h).Wrap(roundTrip(func(*http.Request) (*http.Response, error) { return nil, reset })))
	if !errors.Is(err, reset) || errors.Is(err, ErrNotLeader) {
		t.Errorf("error %v", err)
	}
}
