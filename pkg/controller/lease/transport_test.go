package lease

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
)

// client-go repeats a request that the server told to come again. The lease may be gone by then.
func TestARepeatedRequestMeetsTheFenceAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFence(Config{Name: "it", RenewDeadline: time.Hour}, reader(time.Now))
		f.open(f.now())
		sent := 0
		busy := roundTrip(func(*http.Request) (*http.Response, error) {
			sent++
			time.AfterFunc(time.Second, func() { f.close(errEnded) })
			return &http.Response{
				StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"2"}}, Body: io.NopCloser(strings.NewReader("")),
			}, nil
		})
		config := &rest.Config{Host: "https://server", Transport: busy}
		config.Wrap(f.Wrap)
		clients, err := kubernetes.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		_, err = clients.CoreV1().ConfigMaps("default").Create(t.Context(), &corev1.ConfigMap{}, metav1.CreateOptions{})
		if !errors.Is(err, ErrNotLeader) || sent != 1 {
			t.Errorf("%v after %d requests, want ErrNotLeader after one", err, sent)
		}
	})
}

// Somebody makes the elector's client behind its own fence. It gets the lease nevertheless, and gives it up; what lead does with its
// context is fenced.
func TestTheElectorMayBeBehindItsOwnFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		fenced := &elections{}
		e, err := New(Config{Client: fenced, Name: "it"})
		if err != nil {
			t.Fatal(err)
		}
		config := &rest.Config{Host: "https://server", Transport: roundTrip(s.serve)}
		config.ContentType = "application/json"
		config.Wrap(e.Fence().Wrap)
		client, err := coordinationv1.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		fenced.LeaseInterface = client.Leases("default")
		led := false
		bounded, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		err = e.Run(bounded, func(ctx context.Context) error {
			led = true
			time.Sleep(time.Minute)
			e.fence.close(errEnded)
			if _, err := post(ctx, t, e.Fence().Wrap(roundTrip(answer))); !errors.Is(err, ErrNotLeader) {
				t.Errorf("a write with the context of lead: %v, want ErrNotLeader", err)
			}
			return nil
		})
		if !led || !strings.Contains(fmt.Sprint(err), errEnded.Error()) {
			t.Errorf("led %v, error %v", led, err)
		}
	})
}

// elections can be given a client later.
type elections struct{ coordinationv1.LeaseInterface }

// The response comes in the moment in which the fence is closed. Whoever reads it learns that it is of no use.
func TestAResponseAtTheEndOfTheLease(t *testing.T) {
	f := openFence(&hands{})
	body := &closing{Reader: strings.NewReader("{}")}
	_, err := post(t.Context(), t, f.Wrap(roundTrip(func(*http.Request) (*http.Response, error) {
		f.close(errEnded)
		return &http.Response{StatusCode: http.StatusOK, Body: body}, nil
	})))
	if !errors.Is(err, ErrNotLeader) || !strings.Contains(err.Error(), "may have been carried out") || !body.closed || f.Refused() != 1 {
		t.Errorf("error %v, closed %v, refused %d", err, body.closed, f.Refused())
	}
}

// What becomes a connection goes on: it is no request any more.
func TestAnUpgradedConnectionIsPassedOn(t *testing.T) {
	f := openFence(&hands{})
	connection := &closing{Reader: strings.NewReader("")}
	response, err := post(t.Context(), t, f.Wrap(roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: connection}, nil
	})))
	if err != nil || response.Body != io.ReadCloser(connection) {
		t.Errorf("%v: body %T, want the connection itself", err, response.Body)
	}
	_ = response.Body.Close()
}
