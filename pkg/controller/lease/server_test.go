package lease

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A server is a naive API server for one Lease. A lock and a counter are all there is to it.
type server struct {
	mu      sync.Mutex
	lease   *coordinationv1.Lease // nil if there is none
	version int
	asked   []string                                     // the verbs
	before  func(ctx context.Context, verb string) error // in place of the network; an error is returned and nothing done
	after   func(ctx context.Context, verb string) error // an error is returned although it was done
}

func (s *server) Get(ctx context.Context, _ string, _ metav1.GetOptions) (*coordinationv1.Lease, error) {
	return s.do(ctx, "get", func() error {
		if s.lease == nil {
			return apierrors.NewNotFound(coordinationv1.Resource("leases"), "it")
		}
		return nil
	})
}

func (s *server) Create(ctx context.Context, lease *coordinationv1.Lease, _ metav1.CreateOptions) (*coordinationv1.Lease, error) {
	return s.do(ctx, "create", func() error {
		if s.lease != nil {
			return apierrors.NewAlreadyExists(coordinationv1.Resource("leases"), "it")
		}
		s.store(lease)
		return nil
	})
}

func (s *server) Update(ctx context.Context, lease *coordinationv1.Lease, _ metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	return s.do(ctx, "update", func() error {
		if s.lease == nil {
			return apierrors.NewNotFound(coordinationv1.Resource("leases"), "it")
		}
		if lease.ResourceVersion != s.lease.ResourceVersion {
			return apierrors.NewConflict(coordinationv1.Resource("leases"), "it", nil)
		}
		s.store(lease)
		return nil
	})
}

func (s *server) do(ctx context.Context, verb string, what func() error) (*coordinationv1.Lease, error) {
	s.mu.Lock()
	before, after := s.before, s.after
	s.mu.Unlock()
	if before != nil {
		if err := before(ctx, verb); err != nil {
			return nil, err
		}
	}
	lease, err := s.done(verb, what)
	if after != nil && err == nil {
		err = after(ctx, verb)
	}
	return lease, err
}

func (s *server) done(verb string, what func() error) (*coordinationv1.Lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, verb)
	if err := what(); err != nil {
		return nil, err
	}
	return s.lease.DeepCopy(), nil
}

// serve is the server as a transport has it. It speaks JSON.
func (s *server) serve(request *http.Request) (*http.Response, error) {
	var sent coordinationv1.Lease
	if request.Body != nil {
		if err := json.NewDecoder(request.Body).Decode(&sent); err != nil {
			return nil, err
		}
	}
	var lease *coordinationv1.Lease
	var err error
	switch request.Method {
	case http.MethodPost:
		lease, err = s.Create(request.Context(), &sent, metav1.CreateOptions{})
	case http.MethodPut:
		lease, err = s.Update(request.Context(), &sent, metav1.UpdateOptions{})
	default:
		lease, err = s.Get(request.Context(), "", metav1.GetOptions{})
	}
	return respond(lease, err)
}

func respond(lease *coordinationv1.Lease, err error) (*http.Response, error) {
	code, answer := http.StatusOK, any(lease)
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		code, answer = int(status.Status().Code), status.Status()
	} else if err != nil {
		return nil, err
	}
	text, err := json.Marshal(answer)
	return &http.Response{
		StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(text)),
	}, err
}

// store is for one who has the lock.
func (s *server) store(lease *coordinationv1.Lease) {
	s.version++
	s.lease = lease.DeepCopy()
	s.lease.ResourceVersion = strconv.Itoa(s.version)
}

// fault puts something before what is done, in place of the network.
func (s *server) fault(before func(ctx context.Context, verb string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = before
}

// change lets somebody write the Lease past the electors.
func (s *server) change(how func(spec *coordinationv1.LeaseSpec)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lease := s.lease.DeepCopy()
	if lease == nil {
		lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "it", UID: "1"}}
	}
	how(&lease.Spec)
	s.store(lease)
}

func (s *server) heldBy(holder string) {
	s.change(func(spec *coordinationv1.LeaseSpec) {
		spec.HolderIdentity, spec.LeaseDurationSeconds = &holder, new(int32(15))
	})
}

func (s *server) remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lease = nil
}

// count returns how often something was asked.
func (s *server) count(verb string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, asked := range s.asked {
		if asked == verb {
			n++
		}
	}
	return n
}

func (s *server) holder() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease == nil {
		return ""
	}
	return *s.lease.Spec.HolderIdentity
}

func (s *server) spec() coordinationv1.LeaseSpec {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lease.Spec
}
