package write

import (
	"crypto/sha256"
	"encoding/json"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// applied remembers what was applied last, and what the objects were afterwards.
type applied struct {
	limit int

	mu      sync.Mutex
	entries map[id]memory
}

// A memory is of a configuration that was applied.
type memory struct {
	hash    [sha256.Size]byte // of the configuration
	uid     types.UID
	version string
	mark    mark
}

// A mark tells what nobody may have changed since. Two objects with the same one differ in nothing that matters.
type mark struct {
	content [sha256.Size]byte
	managed [sha256.Size]byte // the managed fields of the manager
}

func (a *applied) remember(c configuration, result metav1.Object, manager string) {
	after, err := markOf(c, result, manager)
	if err != nil || c.pinned || a.limit < 0 {
		a.forget(c.id)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.entries == nil {
		a.entries = make(map[id]memory)
	}
	if _, known := a.entries[c.id]; !known && len(a.entries) >= a.limit {
		a.dropAnyLocked()
	}
	a.entries[c.id] = memory{c.hash, result.GetUID(), result.GetResourceVersion(), after}
}

// dropAnyLocked makes room. Whichever goes costs one request.
func (a *applied) dropAnyLocked() {
	for id := range a.entries {
		delete(a.entries, id)
		return
	}
}

func (a *applied) forget(id id) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.entries, id)
}

// holds says whether an object is known to be as the configuration says. What is not known for sure does not hold.
func (a *applied) holds(c configuration, obj metav1.Object, manager string) bool {
	a.mu.Lock()
	known, ok := a.entries[c.id]
	a.mu.Unlock()
	switch {
	case !ok || known.hash != c.hash || known.uid != obj.GetUID() || obj.GetUID() == "":
		return false
	case known.version != "" && known.version == obj.GetResourceVersion():
		return true
	}
	now, err := markOf(c, obj, manager)
	if err != nil || now.content != known.mark.content {
		return false
	}
	if len(obj.GetManagedFields()) > 0 {
		return now.managed == known.mark.managed
	}
	return c.subresource == "" && !c.status && obj.GetGeneration() != 0 // which is part of the content
}

// markOf reads what the configuration is about: the status, or all but the status and what the API server writes itself.
func markOf(c configuration, obj metav1.Object, manager string) (mark, error) {
	fields, err := treeOf(obj)
	if err != nil {
		return mark{}, err
	}
	content := tree{status: fields[status]}
	if c.subresource == "" {
		content = contentOf(fields, obj)
		if c.status {
			content[status] = fields[status]
		}
	}
	encoded, err := content.encode()
	if err != nil {
		return mark{}, err
	}
	managed, err := json.Marshal(managedBy(manager, c.subresource, obj))
	return mark{sha256.Sum256(encoded), sha256.Sum256(managed)}, err
}

func contentOf(fields tree, obj metav1.Object) tree {
	content := tree{}
	for name, value := range fields {
		switch name {
		case status, "apiVersion", "kind": // the latter two may be left out by clients
		case "metadata":
			content[name] = []any{
				obj.GetUID(), obj.GetGeneration(), obj.GetDeletionTimestamp(),
				obj.GetLabels(), obj.GetAnnotations(), obj.GetOwnerReferences(), obj.GetFinalizers(),
			}
		default:
			content[name] = value
		}
	}
	return content
}

// managedBy returns which fields the manager has applied.
func managedBy(manager, subresource string, obj metav1.Object) []metav1.ManagedFieldsEntry {
	var entries []metav1.ManagedFieldsEntry
	for _, entry := range obj.GetManagedFields() {
		if entry.Manager == manager && entry.Subresource == subresource && entry.Operation == metav1.ManagedFieldsOperationApply {
			entry.Time = nil
			entries = append(entries, entry)
		}
	}
	return entries
}
