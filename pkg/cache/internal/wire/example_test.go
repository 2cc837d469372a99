package wire_test

import (
	"errors"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/wire"
)

func ExampleListReader() {
	body := strings.NewReader(`{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"42"},"items":[
		{"metadata":{"name":"web","resourceVersion":"40"},"spec":{"nodeName":"node-1"}},
		{"metadata":{"name":"odd","resourceVersion":"41"},"spec":{"nodeName":{}}}]}`)
	reader := wire.NewListReader(body, wire.Limits{})
	for {
		frame, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		id, _ := frame.Identity()
		var pod corev1.Pod
		if err := frame.WithoutManagedFields().Decode(&pod); err != nil {
			fmt.Printf("%s in version %s: %v\n", id.Name, id.ResourceVersion, err)
			continue
		}
		fmt.Println(pod.Name, "on", pod.Spec.NodeName)
	}
	fmt.Println("list of version", reader.Meta().ResourceVersion)
	// Output:
	// web on node-1
	// odd in version 41: wire: json can't be decoded: field "spec.nodeName" is no Go string
	// list of version 42
}

func ExampleWatchReader() {
	body := strings.NewReader(`{"type":"ADDED","object":{"kind":"CronTab","apiVersion":"stable.example.com/v1","metadata":{"name":"backup"}}}
{"type":"DELETED","object":{"kind":"CronTab","apiVersion":"stable.example.com/v1","metadata":{"name":"backup"}}}
`)
	reader := wire.NewWatchReader(body, wire.Limits{})
	for {
		frame, err := reader.Next()
		if err != nil {
			fmt.Println(err)
			return
		}
		var object unstructured.Unstructured
		if err := frame.Decode(&object); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(frame.Type, object.GetKind(), object.GetName())
	}
	// Output:
	// ADDED CronTab backup
	// DELETED CronTab backup
	// EOF
}

func ExampleTooLargeError() {
	body := strings.NewReader(`{"items":[{"metadata":{"name":"huge"},"data":{"key":"0123456789012345678901234567890123456789"}}]}`)
	_, err := wire.NewListReader(body, wire.Limits{Object: 64}).Next()
	if tooLarge, ok := errors.AsType[*wire.TooLargeError](err); ok {
		id, _ := tooLarge.Frame.Identity()
		fmt.Println(id.Name, "is skipped:", err)
	}
	// Output: huge is skipped: wire: an object is longer than 64 bytes
}

func ExampleFrame_Peek() {
	known := map[string]string{"web": "40"}
	frame := wire.Frame{Encoding: wire.JSON, Bytes: []byte(`{"metadata":{"name":"web","resourceVersion":"40"}}`)}
	if id, ok := frame.Peek(); ok && known[id.Name] == id.ResourceVersion {
		fmt.Println("nothing to decode")
	}
	// Output: nothing to decode
}
