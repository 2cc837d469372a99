package write_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

func set(key, value string) func(*corev1.ConfigMap) error {
	return func(c *corev1.ConfigMap) error {
		if c.Data == nil {
			c.Data = map[string]string{}
		}
		c.Data[key] = value
		return nil
	}
}

func TestCreateOrUpdate(t *testing.T) {
	type data = map[string]string
	tests := map[string]struct {
		prepare  func(*server) (cached []*corev1.ConfigMap)
		effect   write.Effect
		data     data
		requests []string
	}{
		"nowhere": {
			func(*server) []*corev1.ConfigMap { return nil },
			write.Created,
			data{"mine": "1"},
			[]string{"create"},
		},
		"as it should be": {
			func(s *server) []*corev1.ConfigMap {
				return []*corev1.ConfigMap{s.put("a", data{"mine": "1", "theirs": "2"})}
			},
			write.Unchanged,
			data{"mine": "1", "theirs": "2"},
			nil,
		},
		"different": {
			func(s *server) []*corev1.ConfigMap {
				return []*corev1.ConfigMap{s.put("a", data{"mine": "0", "theirs": "2"})}
			},
			write.Updated,
			data{"mine": "1", "theirs": "2"},
			[]string{"patch"},
		},
		"not yet in the cache": {
			func(s *server) []*corev1.ConfigMap { s.put("a", data{"theirs": "2"}); return nil },
			write.Updated,
			data{"mine": "1", "theirs": "2"},
			[]string{"create", "get", "patch"},
		},
		"older in the cache": {
			func(s *server) []*corev1.ConfigMap {
				cached := s.put("a", data{"theirs": "1"})
				s.put("a", data{"theirs": "2"})
				return []*corev1.ConfigMap{cached}
			},
			write.Updated,
			data{"mine": "1", "theirs": "2"},
			[]string{"patch", "get", "patch"},
		},
		"still in the cache": {
			func(s *server) []*corev1.ConfigMap {
				cached := s.put("a", data{"theirs": "1"})
				s.drop("a")
				return []*corev1.ConfigMap{cached}
			},
			write.Created,
			data{"mine": "1"},
			[]string{"patch", "get", "create"},
		},
		"another one by now": {
			func(s *server) []*corev1.ConfigMap {
				cached := s.put("a", data{"theirs": "1"})
				s.drop("a")
				s.put("a", data{"theirs": "3"})
				return []*corev1.ConfigMap{cached}
			},
			write.Updated,
			data{"mine": "1", "theirs": "3"},
			[]string{"patch", "get", "patch"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newServer()
			w, _ := newWriter(t, s, write.Config{}, test.prepare(s)...)
			got := want[*corev1.ConfigMap](t, test.effect)(w.CreateOrUpdate(t.Context(), configMap("a", nil), set("mine", "1")))
			if fmt.Sprint(got.Data) != fmt.Sprint(test.data) || fmt.Sprint(s.objects["a"].Data) != fmt.Sprint(test.data) {
				t.Errorf("data is %v, want %v", got.Data, test.data)
			}
			if !slices.Equal(s.requests, test.requests) {
				t.Errorf("requests are %q, want %q", s.requests, test.requests)
			}
		})
	}
}

func TestTheCachedObjectIsNotChanged(t *testing.T) {
	s := newServer()
	cached := s.put("a", map[string]string{"mine": "0"})
	w, _ := newWriter(t, s, write.Config{}, cached)
	want[*corev1.ConfigMap](t, write.Updated)(w.CreateOrUpdate(t.Context(), cached, set("mine", "1")))
	want[*corev1.ConfigMap](t, write.Updated)(w.Change(t.Context(), cached, set("mine", "2")))
	if cached.Data["mine"] != "0" {
		t.Errorf("the cached object is %v", cached.Data)
	}
}

func TestChangeWithoutAVersionReadsFirst(t *testing.T) {
	s := newServer()
	w, _ := newWriter(t, s, write.Config{})
	if _, _, err := w.Change(t.Context(), configMap("a", nil), set("n", "1")); !apierrors.IsNotFound(err) {
		t.Errorf("the error is %v, want not found", err)
	}
	s.put("a", map[string]string{"theirs": "1"})
	got := want[*corev1.ConfigMap](t, write.Updated)(w.Change(t.Context(), configMap("a", nil), set("n", "1")))
	if got.Data["theirs"] != "1" || got.Data["n"] != "1" {
		t.Errorf("data is %v", got.Data)
	}
}

// Somebody else writes before each of our patches: the change is tried as often as it may be, and no more.
func TestAttemptsAreBounded(t *testing.T) {
	for _, attempts := range []int{0, 1, 3} {
		t.Run(fmt.Sprint(attempts), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				obj := s.put("a", nil)
				s.before = func(request string) {
					if request == "patch" {
						s.put("a", map[string]string{"at": time.Now().String()})
					}
				}
				w, _ := newWriter(t, s, write.Config{Attempts: attempts})
				began := time.Now()
				_, _, err := w.Change(t.Context(), obj, set("mine", "1"))
				if controller.Classify(err) != controller.Stale {
					t.Errorf("the error is %v, want a conflict", err)
				}
				bound := attempts
				if bound == 0 {
					bound = 6
				}
				if w.Status().Conflicts != bound {
					t.Errorf("there were %+v, want %d conflicts", w.Status(), bound)
				}
				if waited, most := time.Since(began), 1500*time.Millisecond; waited > most || bound < 3 && waited != 0 {
					t.Errorf("%d attempts have waited for %v", bound, waited)
				}
			})
		})
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		obj := s.put("a", nil)
		ctx, cancel := context.WithCancelCause(t.Context())
		patches := 0
		s.before = func(request string) {
			if request == "patch" {
				patches++
				s.put("a", nil)
			}
			if patches == 2 {
				cancel(controller.ErrTimeout)
			}
		}
		w, _ := newWriter(t, s, write.Config{})
		_, _, err := w.Change(ctx, obj, set("mine", "1"))
		if !errors.Is(err, controller.ErrTimeout) || !apierrors.IsConflict(err) || patches != 2 {
			t.Errorf("after %d patches the error is %v, want the conflict and the time-out", patches, err)
		}
	})
}

// A time-out that comes with the first conflict is told as such, too.
func TestNothingIsReadAfterTheEndOfItsContext(t *testing.T) {
	s := newServer()
	obj := s.put("a", nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	s.before = func(string) { s.put("a", nil); cancel(controller.ErrTimeout) }
	w, _ := newWriter(t, s, write.Config{})
	if _, _, err := w.Change(ctx, obj, set("mine", "1")); !errors.Is(err, controller.ErrTimeout) || !apierrors.IsConflict(err) {
		t.Errorf("the error is %v, want the conflict and the time-out", err)
	}
	if len(s.requests) != 1 {
		t.Errorf("the requests are %q", s.requests)
	}
}

// Quotas are changed by many: the API server gives up after a few conflicts of its own.
func TestAConflictOfAQuotaIsTriedAgain(t *testing.T) {
	s := newServer()
	s.refuse = first(1, apierrors.NewConflict(configMaps, "quota", errors.New("the quota has changed")))
	w, _ := newWriter(t, s, write.Config{})
	want[*corev1.ConfigMap](t, write.Created)(w.CreateOrUpdate(t.Context(), configMap("a", nil), nil))
}

// An empty list is not the same as none where the type says so, whatever package equality thinks.
func TestAnEmptyListIsAChange(t *testing.T) {
	var client patches
	w := write.NewClusterScoped[*unstructured.Unstructured](&client, nil, write.Config{})
	before := custom(map[string]any{"hosts": nil})
	before.SetResourceVersion("1")
	want[*unstructured.Unstructured](t, write.Updated)(w.Change(t.Context(), before, func(u *unstructured.Unstructured) error {
		u.Object["spec"] = map[string]any{"hosts": []any{}}
		return nil
	}))
	if string(client.sent) != `{"metadata":{"resourceVersion":"1"},"spec":{"hosts":[]}}` {
		t.Errorf("sent %s", client.sent)
	}
}

// A dated is of a type with fields that only encode themselves.
type dated struct {
	corev1.ConfigMap

	At time.Time `json:"at"`
}

func (d *dated) DeepCopyObject() runtime.Object { return &dated{*d.DeepCopy(), d.At} }

type datedClient struct{ write.Client[*dated] }

func (datedClient) Patch(
	_ context.Context, _ string, _ types.PatchType, data []byte, _ metav1.PatchOptions, _ ...string,
) (*dated, error) {
	patched := &dated{}
	err := json.Unmarshal(data, patched)
	patched.ResourceVersion = "8"
	return patched, err
}

func TestFieldsMayEncodeThemselves(t *testing.T) {
	w := write.NewClusterScoped(datedClient{}, nil, write.Config{})
	obj := &dated{ConfigMap: *stored(), At: time.Unix(1, 0)}
	obj.Namespace = ""
	at := func(at time.Time) func(*dated) error { return func(d *dated) error { d.At = at; return nil } }
	want[*dated](t, write.Unchanged)(w.Change(t.Context(), obj, at(time.Unix(1, 0))))
	got := want[*dated](t, write.Updated)(w.Change(t.Context(), obj, at(time.Unix(2, 0))))
	if !got.At.Equal(time.Unix(2, 0)) {
		t.Errorf("at is %v", got.At)
	}
}

func TestOneThatIsBeingDeletedIsNotDeletedAgain(t *testing.T) {
	s := newServer()
	obj := s.put("a", nil)
	obj.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
	w, _ := newWriter(t, s, write.Config{})
	for _, options := range []write.DeleteOptions{{}, {AnyVersion: true}} {
		if err := w.DeleteWith(t.Context(), obj, options); err != nil || len(s.requests) != 0 {
			t.Errorf("deleting gives %v, after %q", err, s.requests)
		}
	}
	for _, options := range []write.DeleteOptions{{Propagation: metav1.DeletePropagationOrphan}, {GracePeriod: new(time.Duration)}} {
		s.requests = nil
		if err := w.DeleteWith(t.Context(), obj, options); err != nil || len(s.requests) != 1 {
			t.Errorf("deleting otherwise gives %v, after %q", err, s.requests)
		}
	}
}

func TestAMutateThatFailsIsNotTriedAgain(t *testing.T) {
	s := newServer()
	obj := s.put("a", nil)
	w, _ := newWriter(t, s, write.Config{})
	calls := 0
	_, _, err := w.Change(t.Context(), obj, func(*corev1.ConfigMap) error {
		calls++
		return apierrors.NewConflict(configMaps, "another", errors.New("of another object"))
	})
	if !apierrors.IsConflict(err) || calls != 1 || len(s.requests) != 0 {
		t.Errorf("%d calls and %q lead to %v", calls, s.requests, err)
	}
}

func TestAMutateMustNotMakeItAnotherObject(t *testing.T) {
	mutations := map[string]func(*corev1.ConfigMap) error{
		"metadata.name":            func(c *corev1.ConfigMap) error { c.Name = "b"; return nil },
		"metadata.namespace":       func(c *corev1.ConfigMap) error { c.Namespace = "b"; return nil },
		"metadata.uid":             func(c *corev1.ConfigMap) error { c.UID = "b"; return nil },
		"metadata.resourceVersion": func(c *corev1.ConfigMap) error { c.ResourceVersion = "99"; return nil },
		"apiVersion or kind":       func(c *corev1.ConfigMap) error { c.Kind = "Secret"; return nil },
	}
	for field, mutate := range mutations {
		t.Run(field, func(t *testing.T) {
			s := newServer()
			w, _ := newWriter(t, s, write.Config{})
			_, _, fresh := w.CreateOrUpdate(t.Context(), configMap("new", nil), mutate)
			_, _, changed := w.Change(t.Context(), s.put("a", nil), mutate)
			for _, err := range []error{fresh, changed} {
				if err == nil || !strings.Contains(err.Error(), field) {
					t.Errorf("the error is %v, want it to name %s", err, field)
				}
			}
			if len(s.objects) != 1 {
				t.Errorf("there are %d objects", len(s.objects))
			}
		})
	}
}

func TestBadInputIsNamed(t *testing.T) {
	s := newServer()
	obj := s.put("a", nil)
	w, _ := newWriter(t, s, write.Config{})
	cluster := write.NewClusterScoped(s, nil, write.Config{})
	named := func(namespace, name string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	}
	wrong := func(_ *corev1.ConfigMap, _ write.Effect, err error) error { return err }
	create := func(_ *corev1.ConfigMap, err error) error { return err }
	errs := map[string]error{
		"metadata.name is empty":                wrong(w.Change(t.Context(), named("default", ""), set("a", "b"))),
		"metadata.namespace is empty":           create(w.Create(t.Context(), named("", "a"))),
		`metadata.namespace is "default"`:       wrong(cluster.CreateOrUpdate(t.Context(), obj, nil)),
		"the object is nil":                     wrong(w.Update(t.Context(), nil)),
		"mutate is nil":                         wrong(w.ChangeStatus(t.Context(), obj, nil)),
		"metadata.resourceVersion is empty":     wrong(w.Update(t.Context(), named("default", "a"))),
		"metadata.uid is empty":                 w.Delete(t.Context(), named("default", "a")),
		"the path does not begin":               wrong(w.Patch(t.Context(), obj, write.JSON(write.RemoveOp("data")))),
		"the patch is no JSON":                  wrong(w.Patch(t.Context(), obj, write.Raw("x", []byte("a: b")))),
		"before and after differ in metadata":   wrong(w.Patch(t.Context(), obj, write.Merge(obj, named("b", "b")))),
		"the patch is the zero value":           wrong(w.Patch(t.Context(), obj, write.Patch{})),
		"scale needs a dynamic client":          wrong(w.Patch(t.Context(), obj, write.Merge(obj, obj).To("scale"))),
		`operation 0, remove "data"`:            wrong(w.Patch(t.Context(), obj, write.JSON(write.RemoveOp("data")))),
		"GracePeriod is negative":               w.DeleteWith(t.Context(), obj, write.DeleteOptions{GracePeriod: new(-time.Second)}),
		"an apply configuration is no patch":    wrong(w.Patch(t.Context(), obj, write.Raw("application/apply-patch+yaml", nil))),
		`write: change v1.ConfigMap "default/"`: wrong(w.Change(t.Context(), named("default", ""), set("a", "b"))),
	}
	for text, err := range errs {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("the error is %v, want it to say %q", err, text)
		}
	}
	if len(s.requests) != 0 {
		t.Errorf("requests were sent: %q", s.requests)
	}
}
