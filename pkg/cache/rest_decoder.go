package cache

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/wire"
)

// A piece is an object as it came.
type piece struct {
	wire.Frame // of an object that is too large, its beginning
	tooLarge   *wire.TooLargeError
}

// pieceOf takes what a reader returned.
func pieceOf(frame wire.Frame, err error) (piece, error) {
	if tooLarge, ok := errors.AsType[*wire.TooLargeError](err); ok {
		// The error will be kept, and is to keep nothing of the content.
		return piece{Frame: tooLarge.Frame, tooLarge: &wire.TooLargeError{Limit: tooLarge.Limit}}, nil
	}
	return piece{Frame: frame}, err
}

// identityOf returns an identity with the same strings: if they are views of a piece's bytes, it must not outlive these.
func identityOf(id wire.Identity) Identity {
	return Identity{types.NamespacedName{Namespace: id.Namespace, Name: id.Name}, types.UID(id.UID), id.ResourceVersion}
}

// A decoder makes objects of pieces, each on its own, or says which of them it can't.
type decoder[T Object] struct {
	known             func(Identity) (T, bool)
	wire              *wire.Decoder
	dropManagedFields bool
	expected          metav1.TypeMeta // what is empty may be anything
	untyped           bool            // an object has come of which it was not known whether it is of the expected type
	kindless          []T             // unstructured objects of a list that has yet to say what they are
	matched, foreign  bool            // one has come that said that it is, or that it is not
}

func (s *RESTSource[T]) decoder(request Request[T]) *decoder[T] {
	return &decoder[T]{known: request.Known, wire: wire.NewDecoder(s.plan()), dropManagedFields: s.options.DropManagedFields, expected: s.expected()}
}

func (s *RESTSource[T]) expected() metav1.TypeMeta {
	switch {
	case isPartial[T]():
		return metav1.TypeMeta{}
	case s.options.Kind != "" || isUnstructured[T]():
		return metav1.TypeMeta{Kind: s.options.Kind}
	}
	expected := metav1.TypeMeta{Kind: goKind[T]()}
	if version := s.client.APIVersion(); !version.Empty() {
		expected.APIVersion = version.String()
	}
	return expected
}

// object returns the piece's object: the cached one if it is known, else a new one.
func (d *decoder[T]) object(p piece) (T, *UndecodableError) {
	id, _ := p.Peek()
	if err := d.refuse(p, id); err != nil {
		return *new(T), undecodable(p, id, err)
	}
	if obj, ok := d.cached(p, id); ok {
		return obj, nil
	}
	if d.dropManagedFields {
		id = id.Clone() // whose strings are views of the bytes that are cut
		p.Frame = p.WithoutManagedFields()
	}
	obj, err := d.decode(p, id)
	if err == nil && isUnstructured[T]() && obj.GetObjectKind().GroupVersionKind().Kind == "" {
		err = d.await(p, obj)
	}
	if err != nil {
		return *new(T), undecodable(p, id, err)
	}
	return obj, nil
}

// await leaves it to the end of the list what the object is: in CBOR the keys of a map come in any order.
func (d *decoder[T]) await(p piece, obj T) error {
	if p.Type != "" {
		return errNoKind
	}
	d.kindless = append(d.kindless, obj)
	return nil
}

func undecodable(p piece, id wire.Identity, err error) *UndecodableError {
	return &UndecodableError{Identity: identityOf(id.Clone()), Type: watch.EventType(p.Type), Err: err}
}

// refuse returns why it need not be tried to decode the piece.
func (d *decoder[T]) refuse(p piece, id wire.Identity) error {
	d.untyped = d.untyped || id.Kind == ""
	got := metav1.TypeMeta{APIVersion: id.APIVersion, Kind: id.Kind}
	switch {
	case p.tooLarge != nil:
		return p.tooLarge
	case !matches(got, d.expected) || isAnswer(got):
		d.foreign = true
		return fmt.Errorf("it is a %.100q of %.100q, expected a %s", got.Kind, got.APIVersion, typeName[T]())
	}
	d.matched = true
	return nil
}

// cached returns the object that is known in this very version. What a deletion brings never is.
func (d *decoder[T]) cached(p piece, id wire.Identity) (obj T, ok bool) {
	switch watch.EventType(p.Type) {
	case "", watch.Added, watch.Modified:
		if d.known != nil && id.Name != "" && id.ResourceVersion != "" {
			return d.known(identityOf(id))
		}
	}
	return obj, false
}

var (
	errNoName    = errors.New("it has no name")
	errNoKind    = errors.New("the server does not say its kind")
	errAmbiguous = errors.New("its metadata can be read in two ways")
)

// decode returns a new object, which is the one that is expected, or why there is none.
func (d *decoder[T]) decode(p piece, id wire.Identity) (T, error) {
	obj := reflect.New(reflect.TypeFor[T]().Elem()).Interface().(T)
	if err := d.wire.Decode(p.Frame, obj); err != nil {
		return obj, err
	}
	switch {
	case obj.GetName() == "" && p.Type != string(watch.Bookmark):
		return obj, errNoName
	case id.Name != "" && IdentityOf(obj) != identityOf(id):
		return obj, errAmbiguous // in JSON a key may come twice
	}
	return obj, nil
}

// checkList returns why the list is not one of the expected objects. It is known for sure when all of it has been read, and so
// is what those are that do not say it.
func (d *decoder[T]) checkList(list wire.ListMeta) error {
	if err := isList(list); err != nil {
		return err
	}
	// Where objects say what they are, the list's own name, which may be any, does not count; unless none of them is right.
	doubtful := d.untyped || d.foreign && !d.matched
	if items := (metav1.TypeMeta{APIVersion: list.APIVersion, Kind: list.ItemKind()}); doubtful && !matches(items, d.expected) {
		return fmt.Errorf("%w: a %.100q of %.100q, expected a list of %s", ErrMalformed, list.Kind, list.APIVersion, cmp.Or(d.expected.Kind, typeName[T]()))
	}
	if len(d.kindless) > 0 && list.ItemKind() == "" {
		return errNoKind
	}
	for _, obj := range d.kindless {
		obj.GetObjectKind().SetGroupVersionKind(schema.FromAPIVersionAndKind(list.APIVersion, list.ItemKind()))
	}
	return nil
}

// isList returns why it is none. A list may be called anything, but has to say what it is.
func isList(list wire.ListMeta) error {
	if list.Kind == "" || isAnswer(metav1.TypeMeta{APIVersion: list.APIVersion, Kind: list.Kind}) {
		return fmt.Errorf("%w: a %.100q of %.100q, expected a list", ErrMalformed, list.Kind, list.APIVersion)
	}
	return nil
}

// matches says whether nothing is known that makes one differ from the other.
func matches(got, want metav1.TypeMeta) bool {
	return (got.Kind == want.Kind || got.Kind == "" || want.Kind == "") &&
		(got.APIVersion == want.APIVersion || got.APIVersion == "" || want.APIVersion == "")
}

// isAnswer says whether the type is one in which a server speaks of objects or of itself.
func isAnswer(t metav1.TypeMeta) bool {
	return t.Kind == "Table" && strings.HasPrefix(t.APIVersion, metav1.GroupName+"/") || t.Kind == "Status" && t.APIVersion == "v1"
}

func isUnstructured[T Object]() bool {
	return reflect.TypeFor[T]() == reflect.TypeFor[*unstructured.Unstructured]()
}

func isPartial[T Object]() bool {
	return reflect.TypeFor[T]() == reflect.TypeFor[*metav1.PartialObjectMetadata]()
}

// goKind returns the kind that a Go type is for: by convention, they have the same name.
func goKind[T Object]() string { return reflect.TypeFor[T]().Elem().Name() }
