package wire

import (
	"strings"
	"unsafe"
)

// An Identity says which object a frame has, in which version. What can't be read is empty.
type Identity struct {
	Namespace, Name, UID, ResourceVersion string

	// APIVersion and Kind are the object's own, or else what the frame's envelope says.
	APIVersion, Kind string
}

// Clone returns a copy that may be kept, with one allocation.
func (id Identity) Clone() Identity {
	all := [...]*string{&id.Namespace, &id.Name, &id.UID, &id.ResourceVersion, &id.APIVersion, &id.Kind}
	size := 0
	for _, s := range all {
		size += len(*s)
	}
	var text strings.Builder // concatenation wouldn't copy a string that is alone
	text.Grow(size)
	for _, s := range all {
		text.WriteString(*s)
	}
	rest := text.String()
	for _, s := range all {
		*s, rest = rest[:len(*s)], rest[len(*s):]
	}
	return id
}

// Identity reads from the bytes which object the frame has, and false if it has no name. Also an object that is cut off or
// broken is read, as far as that goes. Of a key that comes twice, which no server sends, either
// may count.
func (f Frame) Identity() (Identity, bool) {
	id, ok := f.Peek()
	return id.Clone(), ok
}

// Peek is [Frame.Identity] without a copy: the strings are views of the frame's bytes and must not be used after these have
// changed. It allocates nothing, except for a string with escapes.
func (f Frame) Peek() (Identity, bool) {
	var id reading
	w := over(f.Bytes)
	switch f.Encoding {
	case JSON:
		id.json(&w, f.Kind != "")
	case Protobuf:
		id.protobuf(message{b: f.Bytes, end: len(f.Bytes)})
	case CBOR:
		id.cbor(&w, f.Kind != "")
	}
	if id.APIVersion == "" && id.Kind == "" {
		id.APIVersion, id.Kind = f.APIVersion, f.Kind
	}
	return id.Identity, id.Name != ""
}

// A reading is an identity that is being read.
type reading struct{ Identity }

// json reads an object until there is an error or nothing more to be known. With a kind that is known anyway it ends behind
// the metadata.
func (id *reading) json(w *window, known bool) {
	if w.jsonOpen('{', errJSONObject) != nil {
		return
	}
	for first := true; ; first = false {
		key, ok, err := w.jsonKey(first)
		if !ok || err != nil {
			return
		}
		if more, err := id.jsonMember(w, key, known); err != nil || !more {
			return
		}
	}
}

func (id *reading) jsonMember(w *window, key []byte, known bool) (more bool, err error) {
	switch string(key) {
	case "metadata":
		enough := known || id.Kind != "" && id.APIVersion != ""
		return !enough, id.jsonMeta(w, enough)
	case "apiVersion":
		return true, w.jsonView(&id.APIVersion)
	case "kind":
		return true, w.jsonView(&id.Kind)
	}
	return true, w.jsonSkip()
}

// jsonMeta reads metadata. If that is enough it ends once everything is known, which in an object with a namespace is long
// before its managed fields.
func (id *reading) jsonMeta(w *window, enough bool) error {
	if c, err := w.jsonPeek(); err != nil || c != '{' {
		return w.jsonSkip()
	}
	w.pos++
	for first := true; ; first = false {
		key, ok, err := w.jsonKey(first)
		if !ok {
			return err
		}
		if place := id.place(key); place != nil {
			err = w.jsonView(place)
		} else {
			err = w.jsonSkip()
		}
		if err != nil || enough && id.complete() {
			return err
		}
	}
}

// complete reports whether metadata has nothing more to tell.
func (id *reading) complete() bool {
	return id.Namespace != "" && id.Name != "" && id.UID != "" && id.ResourceVersion != ""
}

// place returns where what a key of metadata says belongs.
func (id *reading) place(key []byte) *string {
	switch string(key) {
	case "name":
		return &id.Name
	case "namespace":
		return &id.Namespace
	case "uid":
		return &id.UID
	case "resourceVersion":
		return &id.ResourceVersion
	}
	return nil
}

// jsonView reads a string that it doesn't copy. Any other value is skipped.
func (w *window) jsonView(into *string) error {
	if c, err := w.jsonPeek(); err != nil || c != '"' {
		return w.jsonSkip()
	}
	text, err := w.jsonText()
	*into = view(text)
	return err
}

func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
