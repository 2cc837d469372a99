package fleet

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// ConfigMapNamespace is where the objects are that are written to while a controller looks on.
	ConfigMapNamespace = "bench-latency"

	// RootCA is a ConfigMap that Kubernetes puts into each namespace.
	RootCA = "kube-root-ca.crt"

	stampAnnotation = "bench.sluice.example.com/written"
)

// ConfigMap returns an object that tells by itself when it was written.
func ConfigMap(number int, written Stamp) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:   ConfigMapNamespace,
			Name:        Name(number),
			Annotations: map[string]string{stampAnnotation: written.String()},
		},
		Data: map[string]string{"level": "info", "replicas": "3"},
	}
}

// A Stamp says when an object was written, by the clock of the machine, and for which run. Writer and reader are different
// processes on one machine.
type Stamp struct {
	Run  string
	Time time.Time
}

func (s Stamp) String() string { return s.Run + "/" + strconv.FormatInt(s.Time.UnixNano(), 10) }

// StampOf reads the stamp of an object.
func StampOf(obj metav1.Object) (Stamp, error) {
	text := obj.GetAnnotations()[stampAnnotation]
	run, nanos, ok := strings.Cut(text, "/")
	unix, err := strconv.ParseInt(nanos, 10, 64)
	if !ok || err != nil {
		return Stamp{}, fmt.Errorf("annotation %s of %s is %q, want run/nanoseconds", stampAnnotation, obj.GetName(), text)
	}
	return Stamp{Run: run, Time: time.Unix(0, unix)}, nil
}
