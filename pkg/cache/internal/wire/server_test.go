package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/watch"
	restwatch "k8s.io/client-go/rest/watch"

	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache/internal/wire"
)

// A server encodes as an API server does, and decodes as client-go does: whole bodies with apimachinery's serializers. That
// is the naive model of what this package does piece by piece.
type server struct {
	encoding wire.Encoding
	whole    runtime.Serializer // of bodies and of the objects in events
	events   runtime.Serializer // of events
	framer   runtime.Framer
}

func encodings() []wire.Encoding { return []wire.Encoding{wire.JSON, wire.Protobuf, wire.CBOR} }

func newServer(encoding wire.Encoding) server {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, stablev1.AddToScheme, metav1.AddMetaToScheme} {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	switch encoding {
	case wire.Protobuf:
		return server{encoding, protobuf.NewSerializer(scheme, scheme), protobuf.NewRawSerializer(scheme, scheme), protobuf.LengthDelimitedFramer}
	case wire.CBOR:
		return server{encoding, cbor.NewSerializer(scheme, scheme), cbor.NewSerializer(scheme, scheme, cbor.Transcode(false)), cbor.NewFramer()}
	}
	s := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{})
	return server{encoding, s, s, json.Framer}
}

func (s server) encode(object runtime.Object) []byte {
	var body bytes.Buffer
	var err error
	if random, ok := s.whole.(runtime.NondeterministicEncoder); ok {
		err = random.EncodeNondeterministic(object, &body)
	} else {
		err = s.whole.Encode(object, &body)
	}
	if err != nil {
		panic(err)
	}
	return body.Bytes()
}

// stream returns events of a watch, each on its own.
func (s server) stream(events ...watch.Event) (frames [][]byte) {
	for _, e := range events {
		var frame bytes.Buffer
		encoder := streaming.NewEncoder(s.framer.NewFrameWriter(&frame), s.events)
		if err := encoder.Encode(&metav1.WatchEvent{Type: string(e.Type), Object: runtime.RawExtension{Raw: s.encode(e.Object)}}); err != nil {
			panic(err)
		}
		frames = append(frames, frame.Bytes())
	}
	return frames
}

// A family is a kind of objects, as a client sees it.
type family struct {
	name  string
	list  func() runtime.Object
	empty func() runtime.Object
	kind  schema.GroupVersionKind
	not   wire.Encoding // that the family doesn't know
}

func families() []family {
	return []family{
		{"pods", func() runtime.Object { return &corev1.PodList{} }, func() runtime.Object { return &corev1.Pod{} }, corev1.SchemeGroupVersion.WithKind("Pod"), 0},
		{"config maps", func() runtime.Object { return &corev1.ConfigMapList{} }, func() runtime.Object { return &corev1.ConfigMap{} }, corev1.SchemeGroupVersion.WithKind("ConfigMap"), 0},
		{"cron tabs", func() runtime.Object { return &stablev1.CronTabList{} }, func() runtime.Object { return &stablev1.CronTab{} }, stablev1.SchemeGroupVersion.WithKind("CronTab"), wire.Protobuf},
		{"metadata", func() runtime.Object { return &metav1.PartialObjectMetadataList{} }, func() runtime.Object { return &metav1.PartialObjectMetadata{} }, metav1.SchemeGroupVersion.WithKind("PartialObjectMetadata"), 0},
		{"unstructured", func() runtime.Object { return &unstructured.UnstructuredList{} }, func() runtime.Object { return &unstructured.Unstructured{} }, stablev1.SchemeGroupVersion.WithKind("CronTab"), wire.Protobuf},
	}
}

func (f family) unstructured() bool { return f.name == "unstructured" }

// of returns a list of the family's objects. Custom resources carry their kind, built-in ones don't.
func (f family) of(version, token string, objects []runtime.Object) runtime.Object {
	list := f.list()
	kind := f.kind
	kind.Kind += "List"
	list.GetObjectKind().SetGroupVersionKind(kind)
	if u, ok := list.(*unstructured.UnstructuredList); ok {
		for _, o := range objects {
			u.Items = append(u.Items, *o.(*unstructured.Unstructured))
		}
	} else if err := meta.SetList(list, objects); err != nil {
		panic(err)
	}
	access, err := meta.ListAccessor(list)
	if err != nil {
		panic(err)
	}
	access.SetResourceVersion(version)
	access.SetContinue(token)
	return list
}

// naively decodes a whole list as a client does.
func (s server) naively(f family, body []byte) ([]runtime.Object, wire.ListMeta, error) {
	list, kind, err := s.whole.Decode(body, nil, f.list())
	if err != nil {
		return nil, wire.ListMeta{}, err
	}
	access, err := meta.ListAccessor(list)
	if err != nil {
		return nil, wire.ListMeta{}, err
	}
	objects, err := meta.ExtractList(list)
	for _, o := range objects {
		f.untyped(o)
	}
	apiVersion, name := kind.ToAPIVersionAndKind()
	return objects, wire.ListMeta{APIVersion: apiVersion, Kind: name, ResourceVersion: access.GetResourceVersion(), Continue: access.GetContinue()}, err
}

// untyped does what typed clients do to objects.
func (f family) untyped(object runtime.Object) {
	if !f.unstructured() {
		object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	}
}

// naivelyWatched decodes a stream as a client does.
func (s server) naivelyWatched(f family, body []byte) (events []watch.Event, err error) {
	frames := streaming.NewDecoder(s.framer.NewFrameReader(io.NopCloser(bytes.NewReader(body))), s.events)
	decoder := restwatch.NewDecoder(frames, into{s.whole, f})
	for {
		kind, object, err := decoder.Decode()
		if err != nil {
			return events, err
		}
		f.untyped(object)
		events = append(events, watch.Event{Type: kind, Object: object})
	}
}

// into decodes into objects of a family.
type into struct {
	runtime.Serializer
	family family
}

func (i into) Decode(data []byte, kind *schema.GroupVersionKind, _ runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	return i.Serializer.Decode(data, kind, i.family.empty())
}

// read decodes a list with this package.
func read(f family, body io.Reader, limits wire.Limits) (objects []runtime.Object, list wire.ListMeta, err error) {
	r := wire.NewListReader(body, limits)
	for {
		frame, err := r.Next()
		if err != nil {
			return objects, r.Meta(), err
		}
		object := f.empty()
		if err := frame.Decode(object); err != nil {
			return objects, r.Meta(), err
		}
		scribble(frame.Bytes)
		objects = append(objects, object)
	}
}

// scribble shows that nothing refers to bytes of a frame any more.
func scribble(b []byte) {
	for i := range b {
		b[i] = '#'
	}
}

// watched decodes a stream with this package.
func watched(f family, body io.Reader) (events []watch.Event, err error) {
	r := wire.NewWatchReader(body, wire.Limits{})
	for {
		frame, err := r.Next()
		if err != nil {
			return events, err
		}
		object := f.empty()
		if err := frame.Decode(object); err != nil {
			return events, err
		}
		scribble(frame.Bytes)
		events = append(events, watch.Event{Type: watch.EventType(frame.Type), Object: object})
	}
}

// servers returns one of every encoding.
func servers() (all []server) {
	for _, encoding := range encodings() {
		all = append(all, newServer(encoding))
	}
	return all
}

// A pair is a family in an encoding that it knows.
type pair struct {
	server server
	family family
}

func (p pair) name() string { return fmt.Sprint(p.family.name, "/", p.server.encoding) }

func pairs() (all []pair) {
	for _, f := range families() {
		for _, s := range servers() {
			if s.encoding != f.not {
				all = append(all, pair{s, f})
			}
		}
	}
	return all
}

// frames returns copies of all frames of a list, and the error at its end.
func frames(body []byte, limits wire.Limits) (all []wire.Frame, err error) {
	return collect(wire.NewListReader(bytes.NewReader(body), limits).Next)
}

func collect(next func() (wire.Frame, error)) (all []wire.Frame, err error) {
	for {
		frame, err := next()
		if tooLarge, ok := errors.AsType[*wire.TooLargeError](err); ok {
			frame, err = tooLarge.Frame, nil
		}
		if err != nil {
			return all, err
		}
		frame.Bytes = slices.Clone(frame.Bytes)
		all = append(all, frame)
	}
}
