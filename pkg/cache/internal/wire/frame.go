package wire

import (
	"math"
	"strings"
)

// An Encoding is how the objects of a body are written.
type Encoding uint8

// The encodings that an API server knows. The zero value is none of them.
const (
	JSON Encoding = iota + 1
	Protobuf
	CBOR
)

// String returns the subtype of the media type as the server names it: "json", "vnd.kubernetes.protobuf", "cbor".
func (e Encoding) String() string {
	switch e {
	case JSON:
		return "json"
	case Protobuf:
		return "vnd.kubernetes.protobuf"
	case CBOR:
		return "cbor"
	}
	return "unknown"
}

// A Frame is one object as it came, undecoded. Its Bytes belong to the reader and change with its next call; everything
// else stays.
type Frame struct {
	Encoding Encoding

	// Type is the event's in a watch: ADDED, MODIFIED, DELETED, BOOKMARK, ERROR or what else the server says. It is empty in
	// a list.
	Type string

	// Bytes are the object alone. In protobuf they are the object's message without magic and runtime.Unknown around it.
	Bytes []byte

	// APIVersion and Kind are what the envelope says of the object: in a protobuf watch the object's own, in a list those of
	// the list as far as it has been read, Kind without its "List". They are empty where the envelope says nothing.
	APIVersion, Kind string
}

// ListMeta is what a list says of itself.
type ListMeta struct {
	APIVersion, Kind string

	ResourceVersion string
	Continue        string // token of the next page, empty on the last
}

// ItemKind returns the kind of the items of a list of one kind, after the naming convention of the API: PodList has Pods.
func (m ListMeta) ItemKind() string { return strings.TrimSuffix(m.Kind, "List") }

// Limits bound what a reader takes from a server. A field that isn't positive means its default.
type Limits struct {
	// Object is the most bytes of one object. A longer one is skipped, see [TooLargeError]. Defaults to 32 MiB.
	Object int64

	// List is the most bytes of the body of a list, and the most that a watch skips for one object that is too large.
	// Defaults to 1 GiB.
	List int64
}

// mostLimit is what a larger limit means. Sums of it with what is in memory are numbers still, and nobody reaches it.
const mostLimit = math.MaxInt / 2

func (l Limits) withDefaults() Limits {
	if l.Object <= 0 {
		l.Object = 32 << 20
	}
	if l.List <= 0 {
		l.List = 1 << 30
	}
	return Limits{Object: min(l.Object, mostLimit), List: min(l.List, mostLimit)}
}
