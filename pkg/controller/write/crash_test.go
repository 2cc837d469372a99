package write_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/sluice-k8s/sluice/pkg/controller/finalizer"
	"github.com/sluice-k8s/sluice/pkg/controller/owner"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

// A program keeps a child for the parent, and says in the parent that it has. It reads from a cache that may be as far behind
// as it likes; it only never goes back.
type program struct {
	server *server
	view   *view
	seen   int // how much of the history is in the view
	writer *write.Writer[*corev1.ConfigMap]
}

var errCrash = errors.New("killed")

// start begins with an empty memory.
func (p *program) start() {
	p.writer = write.New(func(string) *server { return p.server }, p.view, write.Config{Attempts: 2})
}

// see makes the view that of a later time.
func (p *program) see(until int) {
	for ; p.seen < until; p.seen++ {
		obj := p.server.history[p.seen]
		if obj.UID == "" {
			delete(p.view.objects, obj.Name)
		} else {
			p.view.objects[obj.Name] = obj.DeepCopy()
		}
	}
}

func (p *program) reconcile(ctx context.Context) error {
	parent, ok := p.view.objects["parent"]
	if !ok {
		return nil
	}
	parent, proceed, err := finalizer.Handle(ctx, p.writer.Client("default"), parent, "example.com/child", p.cleanUp)
	if err != nil || !proceed {
		return err
	}
	child, _, err := p.writer.CreateOrUpdate(ctx, configMap("child", nil), func(child *corev1.ConfigMap) error {
		if err := owner.Set(child, parent, corev1.SchemeGroupVersion.WithKind("ConfigMap")); err != nil {
			return err
		}
		return set("wish", parent.Data["wish"])(child)
	})
	if err != nil {
		return err
	}
	_, _, err = p.writer.Change(ctx, parent, set("child", string(child.UID)))
	return err
}

func (p *program) cleanUp(ctx context.Context, parent *corev1.ConfigMap) error {
	child, err := p.server.Get(ctx, "child", metav1.GetOptions{}) // the cache may not have it yet, and nobody looks again
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return err
	case !owner.HasController(child, parent):
		return nil
	default:
		return p.writer.Delete(ctx, child)
	}
}

// calm reconciles without faults until everything has been seen and nothing is left to do.
func (p *program) calm(t *rapid.T) {
	p.server.before, p.server.refuse, p.server.lose = nil, nil, nil
	for range 10 {
		p.see(len(p.server.history))
		before := len(p.server.requests)
		if err := p.reconcile(t.Context()); err != nil {
			continue
		}
		if len(p.server.requests) == before {
			return
		}
	}
	t.Fatalf("it does not come to rest: %q", p.server.requests[len(p.server.requests)-5:])
}

// storm reconciles under faults: requests that do not arrive, answers that do not, a cache that is behind, others who write,
// and ends between any two requests.
func (p *program) storm(t *rapid.T, others func()) {
	rare := func(name string) bool { return rapid.IntRange(0, 4).Draw(t, name) == 0 }
	p.server.before = func(string) {
		if rare("others") {
			others()
		}
		if rare("crash") {
			panic(errCrash)
		}
	}
	fail := func(name string) func(string) error {
		return func(string) error {
			if rare(name) {
				return io.ErrUnexpectedEOF
			}
			return nil
		}
	}
	p.server.refuse, p.server.lose = fail("refuse"), fail("lose")
	for range rapid.IntRange(0, 8).Draw(t, "runs") {
		p.see(rapid.IntRange(p.seen, len(p.server.history)).Draw(t, "seen"))
		p.run(t)
	}
}

func (p *program) run(t *rapid.T) {
	defer func() {
		switch met := recover(); met {
		case nil:
		case errCrash:
			p.start()
		default:
			panic(met)
		}
	}()
	_ = p.reconcile(t.Context())
}

func (p *program) change(name string, change func(*corev1.ConfigMap)) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	if obj, ok := p.server.objects[name]; ok {
		obj = obj.DeepCopy()
		change(obj)
		obj.ResourceVersion = p.server.next()
		p.server.keep(obj)
	}
}

// TestACrashAtAnyWriteConverges: whatever fails, and whenever, the end is that of a run without faults; the child is made
// once and deleted once, and what others have written is there.
func TestACrashAtAnyWriteConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &program{server: newServer(), view: newView()}
		p.start()
		p.server.put("parent", map[string]string{"wish": "0"})
		notes := 0
		others := func() {
			notes++
			note := fmt.Sprint("note-", notes)
			p.change("child", func(c *corev1.ConfigMap) { _ = set(note, "theirs")(c) })
			p.change("parent", func(c *corev1.ConfigMap) { _ = set(note, "theirs")(c); c.Data["wish"] = fmt.Sprint(notes) })
		}
		p.storm(t, others)
		p.calm(t)
		parent, child := p.server.objects["parent"], p.server.objects["child"]
		if child == nil || child.Data["wish"] != parent.Data["wish"] || parent.Data["child"] != string(child.UID) {
			t.Fatalf("the parent is %v, the child %v", parent, child)
		}
		for n := range notes {
			if parent.Data[fmt.Sprint("note-", n+1)] != "theirs" {
				t.Fatalf("note %d of %d is lost: %v", n+1, notes, parent.Data)
			}
		}

		p.change("parent", func(c *corev1.ConfigMap) { c.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} })
		p.storm(t, func() { p.change("parent", func(c *corev1.ConfigMap) { _ = set("last", "words")(c) }) })
		p.calm(t)
		if len(p.server.objects) != 0 || !slices.Equal(p.server.done, []string{"create child", "delete child"}) {
			t.Fatalf("left are %v, done was %q", p.server.objects, p.server.done)
		}
	})
}
