package clientgo

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// parseKey splits a key of client-go at its first slash. Any string is a key; joinKey is the inverse.
func parseKey(key string) types.NamespacedName {
	if namespace, name, ok := strings.Cut(key, "/"); ok && namespace != "" {
		return types.NamespacedName{Namespace: namespace, Name: name}
	}
	return types.NamespacedName{Name: key}
}

func joinKey(key types.NamespacedName) string {
	if key.Namespace == "" {
		return key.Name
	}
	return key.Namespace + "/" + key.Name
}

// A joiner joins many keys with few allocations: those that follow each other share memory, of which a key that is kept keeps
// at most a page.
type joiner struct {
	text strings.Builder
	left int // keys that are to come
}

// page is how many bytes keys share.
const page = 1024

func (j *joiner) join(key types.NamespacedName) string {
	if key.Namespace == "" {
		return key.Name
	}
	length := len(key.Namespace) + len("/") + len(key.Name)
	if j.text.Cap()-j.text.Len() < length {
		j.text.Reset()
		j.text.Grow(max(length, min(page, j.left*length)))
	}
	j.left--
	start := j.text.Len()
	j.text.WriteString(key.Namespace)
	j.text.WriteByte('/')
	j.text.WriteString(key.Name)
	return j.text.String()[start:]
}
