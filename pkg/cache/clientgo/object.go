package clientgo

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	engine "github.com/sluice-k8s/sluice/pkg/cache"
)

// An object is how the engine sees what a store of client-go holds, which may be anything.
//
// Its key, UID and version are those under which it came, whatever a transform does to the object: the engine goes by them,
// so that a transform may drop or change all metadata.
type object struct {
	metav1.Object // the object itself if it is one, else a *foreign

	key     types.NamespacedName
	uid     types.UID
	version string
}

// foreign holds what is no metav1.Object. The methods of that, which nobody calls, are nil.
type foreign struct {
	metav1.Object

	value any
}

var _ interface {
	runtime.Object
	metav1.Object
} = (*object)(nil)

// newObject returns what a user writes under the key.
func newObject(key types.NamespacedName, value any) *object {
	o := &object{key: key}
	if about, err := meta.Accessor(value); err == nil {
		o.uid, o.version = about.GetUID(), about.GetResourceVersion()
	}
	o.set(value)
	return o
}

// fromServer returns what a server sent, and its metadata.
func fromServer(about metav1.Object, value any) *object {
	o := &object{key: engine.KeyOf(about), uid: about.GetUID(), version: about.GetResourceVersion()}
	o.set(value)
	return o
}

func (o *object) set(value any) {
	if obj, ok := value.(metav1.Object); ok {
		o.Object = obj
		return
	}
	o.Object = &foreign{value: value}
}

// value returns what users of the store see.
func (o *object) value() any {
	if f, ok := o.Object.(*foreign); ok {
		return f.value
	}
	return o.Object
}

func (o *object) GetNamespace() string       { return o.key.Namespace }
func (o *object) GetName() string            { return o.key.Name }
func (o *object) GetUID() types.UID          { return o.uid }
func (o *object) GetResourceVersion() string { return o.version }

// The engine sets these when a transform has failed, which is no concern of the user's object.

func (o *object) SetNamespace(namespace string)     { o.key.Namespace = namespace }
func (o *object) SetName(name string)               { o.key.Name = name }
func (o *object) SetUID(uid types.UID)              { o.uid = uid }
func (o *object) SetResourceVersion(version string) { o.version = version }

// GetObjectKind implements runtime.Object. There is no kind.
func (o *object) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject implements runtime.Object. What the cache holds is never changed, so that the same object does.
func (o *object) DeepCopyObject() runtime.Object { return new(*o) }
