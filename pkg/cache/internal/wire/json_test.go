package wire

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	corev1 "k8s.io/api/core/v1"
)

const podList = `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9","continue":"abc"},"items":[
 {"metadata":{"name":"a\"b","namespace":"n","uid":"u","resourceVersion":"1","managedFields":[{"manager":"x]"}]},"spec":{"nodeName":"\\"}},
 {"metadata":{"managedFields":[],"name":"b"}},{"metadata":{"managedFields":[]}}]}`

func TestListOfPods(t *testing.T) {
	for _, body := range []io.Reader{strings.NewReader(podList), iotest.OneByteReader(strings.NewReader(podList))} {
		r := NewListReader(body, Limits{})
		var names []string
		for {
			f, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			id, _ := f.Identity()
			var pod corev1.Pod
			f = f.WithoutManagedFields()
			if err := f.Decode(&pod); err != nil {
				t.Fatalf("%s: %v", f.Bytes, err)
			}
			if pod.ManagedFields != nil || pod.Name != id.Name {
				t.Errorf("got %v of %v", pod, id)
			}
			names = append(names, pod.Name)
		}
		t.Log(names, r.Meta())
	}
}
