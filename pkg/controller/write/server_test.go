package write_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

// A server is an API server of ConfigMaps that is as simple as can be: it knows versions, UIDs, finalizers, and merge patches.
// It is a client of the namespace "default", too.
type server struct {
	mu       sync.Mutex
	objects  map[string]*corev1.ConfigMap
	last     int
	requests []string
	done     []string             // what requests have created and deleted
	history  []*corev1.ConfigMap  // each version of each object; those that are gone have no UID
	before   func(request string) // each request, without the lock
	refuse   func(request string) error
	lose     func(request string) error // the answer
}

var _ write.Client[*corev1.ConfigMap] = (*server)(nil)

func newServer() *server { return &server{objects: map[string]*corev1.ConfigMap{}} }

// do does a request, unless it is refused, and gives its answer, unless it is lost.
func (s *server) do(request string, do func() (*corev1.ConfigMap, error)) (*corev1.ConfigMap, error) {
	if s.before != nil {
		s.before(request)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, request)
	if s.refuse != nil {
		if err := s.refuse(request); err != nil {
			return nil, err
		}
	}
	obj, err := do()
	if err == nil && s.lose != nil {
		err = s.lose(request)
	}
	if err != nil {
		return nil, err
	}
	return obj.DeepCopy(), nil
}

// keep makes an object that of its name; it keeps nothing of one that is released.
func (s *server) keep(obj *corev1.ConfigMap) *corev1.ConfigMap {
	if obj.DeletionTimestamp != nil && len(obj.Finalizers) == 0 {
		s.lost(obj.Name)
		return obj
	}
	s.objects[obj.Name] = obj
	s.history = append(s.history, obj)
	return obj
}

func (s *server) lost(name string) {
	delete(s.objects, name)
	s.history = append(s.history, configMap(name, nil))
}

func (s *server) next() string {
	s.last++
	return strconv.Itoa(s.last)
}

// put stores what somebody else writes.
func (s *server) put(name string, data map[string]string) *corev1.ConfigMap {
	s.mu.Lock()
	defer s.mu.Unlock()
	obj := configMap(name, data)
	if had, ok := s.objects[name]; ok {
		obj.UID = had.UID
	} else {
		obj.UID = types.UID("uid-" + s.next())
	}
	obj.ResourceVersion = s.next()
	return s.keep(obj).DeepCopy()
}

func (s *server) drop(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost(name)
}

func (s *server) Get(_ context.Context, name string, _ metav1.GetOptions) (*corev1.ConfigMap, error) {
	return s.do("get", func() (*corev1.ConfigMap, error) { return s.find(name) })
}

func (s *server) find(name string) (*corev1.ConfigMap, error) {
	if obj, ok := s.objects[name]; ok {
		return obj, nil
	}
	return nil, apierrors.NewNotFound(configMaps, name)
}

func (s *server) Create(_ context.Context, obj *corev1.ConfigMap, _ metav1.CreateOptions) (*corev1.ConfigMap, error) {
	return s.do("create", func() (*corev1.ConfigMap, error) {
		switch {
		case s.objects[obj.Name] != nil:
			return nil, apierrors.NewAlreadyExists(configMaps, obj.Name)
		case obj.ResourceVersion != "":
			return nil, apierrors.NewBadRequest("resourceVersion is set")
		}
		obj = obj.DeepCopy()
		obj.UID, obj.ResourceVersion = types.UID("uid-"+s.next()), s.next()
		s.done = append(s.done, "create "+obj.Name)
		return s.keep(obj), nil
	})
}

func (s *server) Update(_ context.Context, obj *corev1.ConfigMap, _ metav1.UpdateOptions) (*corev1.ConfigMap, error) {
	return s.do("update", func() (*corev1.ConfigMap, error) {
		had, err := s.find(obj.Name)
		if err != nil {
			return nil, err
		}
		return s.store(obj.DeepCopy(), had)
	})
}

func (s *server) Patch(
	_ context.Context, name string, kind types.PatchType, data []byte, _ metav1.PatchOptions, _ ...string,
) (*corev1.ConfigMap, error) {
	return s.do("patch", func() (*corev1.ConfigMap, error) {
		had, err := s.find(name)
		if err != nil {
			return nil, err
		}
		if kind != types.MergePatchType {
			return nil, apierrors.NewGenericServerResponse(415, "patch", configMaps, name, "", 0, false)
		}
		obj, err := merged(had, data)
		if err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		return s.store(obj, had)
	})
}

func merged(had *corev1.ConfigMap, data []byte) (*corev1.ConfigMap, error) {
	var patch map[string]any
	stored, err := json.Marshal(had)
	if err == nil {
		err = json.Unmarshal(data, &patch)
	}
	var old any
	if err == nil {
		err = json.Unmarshal(stored, &old)
	}
	merged, _ := json.Marshal(mergePatch(old, patch))
	obj := &corev1.ConfigMap{}
	if err == nil {
		err = json.Unmarshal(merged, obj)
	}
	return obj, err
}

// store gives what has changed a version, if it was of the last.
func (s *server) store(obj, had *corev1.ConfigMap) (*corev1.ConfigMap, error) {
	if obj.UID != had.UID || obj.ResourceVersion != had.ResourceVersion {
		return nil, apierrors.NewConflict(configMaps, obj.Name, fmt.Errorf("%s in version %s is stored", had.UID, had.ResourceVersion))
	}
	is, _ := json.Marshal(obj)
	was, _ := json.Marshal(had)
	if bytes.Equal(is, was) {
		return had, nil
	}
	if obj.DeletionTimestamp == nil || len(obj.Finalizers) > 0 { // API servers leave the version of the last state alone
		obj.ResourceVersion = s.next()
	}
	return s.keep(obj), nil
}

func (s *server) Delete(_ context.Context, name string, opts metav1.DeleteOptions) error {
	_, err := s.do("delete", func() (*corev1.ConfigMap, error) {
		had, err := s.find(name)
		if err != nil {
			return nil, err
		}
		if p := opts.Preconditions; p.UID != nil && *p.UID != had.UID || p.ResourceVersion != nil && *p.ResourceVersion != had.ResourceVersion {
			return nil, apierrors.NewConflict(configMaps, name, fmt.Errorf("%s in version %s is stored", had.UID, had.ResourceVersion))
		}
		s.done = append(s.done, "delete "+name)
		had = had.DeepCopy()
		had.DeletionTimestamp, had.ResourceVersion = &metav1.Time{Time: time.Unix(1, 0)}, s.next()
		return s.keep(had), nil
	})
	return err
}

var configMaps = schema.GroupResource{Resource: "configmaps"}

func configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Data: data}
}

// A view has what a test puts into it, and knows what was waited for.
type view struct {
	mu      sync.Mutex
	objects map[string]*corev1.ConfigMap
	waits   []string
}

func newView(objects ...*corev1.ConfigMap) *view {
	v := &view{objects: map[string]*corev1.ConfigMap{}}
	for _, obj := range objects {
		v.objects[obj.Name] = obj
	}
	return v
}

func (v *view) Get(key types.NamespacedName) (*corev1.ConfigMap, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	obj, ok := v.objects[key.Name]
	return obj, ok
}

func (v *view) WaitForObject(_ context.Context, written *corev1.ConfigMap) error {
	return v.waitFor("object " + written.Name + " " + written.ResourceVersion)
}

func (v *view) WaitForDeletion(_ context.Context, deleted *corev1.ConfigMap) error {
	return v.waitFor("deletion " + deleted.Name + " " + deleted.ResourceVersion)
}

func (v *view) waitFor(what string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.waits = append(v.waits, what)
	return nil
}

// newWriter returns a writer for a server, and a view with the objects.
func newWriter(t *testing.T, s *server, config write.Config, cached ...*corev1.ConfigMap) (*write.Writer[*corev1.ConfigMap], *view) {
	t.Helper()
	v := newView(cached...)
	return write.New(func(string) *server { return s }, v, config), v
}
