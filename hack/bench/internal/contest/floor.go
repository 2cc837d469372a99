package contest

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/hack/bench/internal/fleet"
)

// floor returns what it takes to read the initial events of a watch, to do no more with each than work does, and to keep
// what comes of that. It has no index.
func floor(work func(number int, frame []byte) (*corev1.Pod, error)) open {
	return func(config *rest.Config, handle func(metav1.Object)) (cached, error) {
		clients, err := kubernetes.NewForConfig(fleet.Protobuf(config))
		if err != nil {
			return cached{}, err
		}
		r := &floorReader{client: clients.CoreV1().RESTClient(), work: work, handle: handle}
		return cached{run: r.run, count: func() int { return int(r.count.Load()) }}, nil
	}
}

type floorReader struct {
	client rest.Interface
	work   func(number int, frame []byte) (*corev1.Pod, error)
	handle func(metav1.Object)
	pods   []*corev1.Pod
	count  atomic.Int64
}

func (r *floorReader) run(ctx context.Context) error {
	initial := true
	options := &metav1.ListOptions{
		Watch: true, AllowWatchBookmarks: true, SendInitialEvents: &initial,
		ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
	}
	body, err := r.client.Get().Resource("pods").VersionedParams(options, scheme.ParameterCodec).
		SetHeader("Accept", "application/vnd.kubernetes.protobuf;stream=watch").Stream(ctx)
	if err != nil {
		return err
	}
	defer body.Close()
	frames := protobuf.LengthDelimitedFramer.NewFrameReader(body)
	for buffer := make([]byte, 1<<20); ; {
		n, err := frames.Read(buffer)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the watch has ended: %w", err)
		}
		if err := r.take(buffer[:n]); err != nil {
			return err
		}
	}
}

// take leaves out bookmarks, which begin with their type.
func (r *floorReader) take(frame []byte) error {
	if bytes.Contains(frame[:min(len(frame), 16)], []byte(watch.Bookmark)) {
		return nil
	}
	pod, err := r.work(int(r.count.Load()), frame)
	if err != nil {
		return err
	}
	r.pods = append(r.pods, pod)
	r.count.Add(1)
	r.handle(pod)
	return nil
}

// skip drops the frame and passes off a stub for what it holds.
func skip(number int, _ []byte) (*corev1.Pod, error) {
	stub := &corev1.Pod{}
	stub.Name, stub.UID = fleet.Name(number), "stub"
	stub.Labels, stub.ManagedFields = map[string]string{"stub": ""}, make([]metav1.ManagedFieldsEntry, 1)
	return stub, nil
}

// decode uses the types' own Unmarshal.
func decode(_ int, frame []byte) (*corev1.Pod, error) {
	var event metav1.WatchEvent
	if err := event.Unmarshal(frame); err != nil {
		return nil, err
	}
	message, ok := bytes.CutPrefix(event.Object.Raw, []byte("k8s\x00"))
	if !ok {
		return nil, fmt.Errorf("an object of %d bytes is not marked as protobuf", len(event.Object.Raw))
	}
	var envelope runtime.Unknown
	if err := envelope.Unmarshal(message); err != nil {
		return nil, err
	}
	pod := &corev1.Pod{}
	err := pod.Unmarshal(envelope.Raw)
	return pod, err
}
