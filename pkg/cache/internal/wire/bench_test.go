package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/wire"
)

// BenchmarkList reads a list of 500 pods of about 4 KB in JSON, a third of it managed fields. The variants:
//
//	apimachinery  the whole body with its serializer
//	decode        every item with this package
//	stripped      the same without managed fields
//	known         every item's identity, nothing decoded: a relist that finds what is cached
//	cut           the items alone
//	planned       every item with a Decoder
func BenchmarkList(b *testing.B) {
	for _, encoding := range encodings() {
		s := newServer(encoding)
		body := s.encode(podList(500))
		b.Run(fmt.Sprint(encoding, "/apimachinery"), func(b *testing.B) {
			each(b, body, func() error {
				_, _, err := s.whole.Decode(must1(io.ReadAll(bytes.NewReader(body))), nil, &corev1.PodList{})
				return err
			})
		})
		for _, v := range variants(func() any { return &corev1.Pod{} }) {
			b.Run(fmt.Sprint(encoding, "/", v.name), func(b *testing.B) {
				each(b, body, func() error { return v.run(body) })
			})
		}
	}
}

// BenchmarkUnstructured is BenchmarkList for unstructured objects.
func BenchmarkUnstructured(b *testing.B) {
	for _, encoding := range []wire.Encoding{wire.JSON, wire.CBOR} {
		s := newServer(encoding)
		body := s.encode(podList(500))
		b.Run(fmt.Sprint(encoding, "/apimachinery"), func(b *testing.B) {
			each(b, body, func() error {
				_, _, err := s.whole.Decode(must1(io.ReadAll(bytes.NewReader(body))), nil, &unstructured.UnstructuredList{})
				return err
			})
		})
		for _, v := range variants(func() any { return &unstructured.Unstructured{} })[:2] {
			b.Run(fmt.Sprint(encoding, "/", v.name), func(b *testing.B) {
				each(b, body, func() error { return v.run(body) })
			})
		}
	}
}

type variant struct {
	name  string
	frame func(wire.Frame) error
}

func variants(empty func() any) []variant {
	planned := wire.NewDecoder(wire.NewPlan(reflect.TypeFor[*corev1.Pod]()))
	return []variant{
		{"decode", func(f wire.Frame) error { return f.Decode(empty()) }},
		{"stripped", func(f wire.Frame) error { return f.WithoutManagedFields().Decode(empty()) }},
		{"known", func(f wire.Frame) error { f.Peek(); return nil }},
		{"strip only", func(f wire.Frame) error { f.WithoutManagedFields(); return nil }},
		{"cut", func(wire.Frame) error { return nil }},
		{"planned", func(f wire.Frame) error { return planned.Decode(f, empty()) }},
	}
}

func (v variant) run(body []byte) error {
	r := wire.NewListReader(bytes.NewReader(body), wire.Limits{})
	for {
		frame, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = v.frame(frame)
		}
		if err != nil {
			return err
		}
	}
}

func each(b *testing.B, body []byte, run func() error) {
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := run(); err != nil {
			b.Fatal(err)
		}
	}
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// podList returns pods as they are in a cluster, of about 4 KB in JSON each.
func podList(n int) *corev1.PodList {
	list := &corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}, ListMeta: metav1.ListMeta{ResourceVersion: "123456"}}
	for i := range n {
		list.Items = append(list.Items, pod(i))
	}
	return list
}

func pod(i int) corev1.Pod {
	name := fmt.Sprintf("web-7c5ddbdf54-%05d", i)
	p := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, GenerateName: "web-7c5ddbdf54-", Namespace: "shop", UID: types.UID(fmt.Sprintf("0d8d2f1e-7a3c-4c8e-9f54-%012d", i)),
			ResourceVersion: fmt.Sprint(100000 + i), CreationTimestamp: metav1.Unix(1.7e9, 0),
			Labels:          map[string]string{"app.kubernetes.io/name": "web", "app.kubernetes.io/instance": "shop", "pod-template-hash": "7c5ddbdf54"},
			Annotations:     map[string]string{"prometheus.io/scrape": "true", "checksum/config": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-7c5ddbdf54", UID: "5b2f5f3c-0d8c-4c55-8a1c-2f5c3c0d8c4c", Controller: new(true)}},
			ManagedFields:   []metav1.ManagedFieldsEntry{managed("kube-controller-manager"), managed("kubelet"), managed("scheduler"), managed("helm")},
		},
		Spec:   corev1.PodSpec{NodeName: "node-17", ServiceAccountName: "default", RestartPolicy: corev1.RestartPolicyAlways, DNSPolicy: corev1.DNSClusterFirst},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, HostIP: "10.0.0.17", PodIP: "10.1.2.3", QOSClass: corev1.PodQOSBurstable},
	}
	for c := range 2 {
		p.Spec.Containers = append(p.Spec.Containers, container(c))
	}
	for _, kind := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Unix(1.7e9, 0)})
	}
	return p
}

func container(i int) corev1.Container {
	c := corev1.Container{
		Name: fmt.Sprintf("app-%d", i), Image: "registry.example.com/shop/web:v1.2.3", Args: []string{"--listen=:8080", "--log-level=info"},
		Ports:          []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}},
		VolumeMounts:   []corev1.VolumeMount{{Name: "kube-api-access", MountPath: "/var/run/secrets/kubernetes.io/serviceaccount", ReadOnly: true}},
		ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz"}}, PeriodSeconds: 10},
	}
	for _, name := range []string{"POD_NAME", "POD_NAMESPACE", "DATABASE_URL", "FEATURES"} {
		c.Env = append(c.Env, corev1.EnvVar{Name: name, Value: "value-of-" + name})
	}
	return c
}
