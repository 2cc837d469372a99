package transform_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// podJSON returns the JSON of pod n of a workload.
func podJSON(tb testing.TB, pod *corev1.Pod) []byte {
	tb.Helper()
	data, err := json.Marshal(pod)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func decodePod(tb testing.TB, data []byte) *corev1.Pod {
	tb.Helper()
	pod := new(corev1.Pod)
	if err := utiljson.Unmarshal(data, pod); err != nil {
		tb.Fatal(err)
	}
	return pod
}

func decodeUnstructured(tb testing.TB, data []byte) *unstructured.Unstructured {
	tb.Helper()
	obj := new(unstructured.Unstructured)
	if err := obj.UnmarshalJSON(data); err != nil {
		tb.Fatal(err)
	}
	return obj
}

// createdPod returns pod n of a workload, about 4 KB of JSON: labels, env, volumes, managedFields. Pods of one workload
// differ by name, UID, version and times.
func createdPod(workload, n int) *corev1.Pod {
	pod := runningPod(workload, n)
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		c.VolumeMounts = c.VolumeMounts[:1]
	}
	pod.Spec.Volumes = pod.Spec.Volumes[:1]
	pod.Status = corev1.PodStatus{Phase: corev1.PodPending, QOSClass: corev1.PodQOSBurstable}
	return pod
}

// runningPod returns pod n of a workload, about 5.6 KB of JSON. Pods of one workload also differ in what admission and the
// kubelet add: addresses, IDs of containers, and the name of the volume for the token of the service account.
func runningPod(workload, n int) *corev1.Pod {
	app := fmt.Sprintf("app-%d", workload)
	began := time.Date(2026, 1, 2, 3, 4, n%60, 0, time.UTC).Add(time.Duration(n) * time.Minute)
	token := "kube-api-access-" + unique(n, 5)
	return &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: fmt.Sprintf("team-%d", workload%20), GenerateName: app + "-6f7d9c5b8-",
			Name: app + "-6f7d9c5b8-" + unique(n, 5), UID: types.UID(unique(n, 36)), ResourceVersion: fmt.Sprint(1_000_000 + n),
			CreationTimestamp: metav1.NewTime(began),
			Labels: map[string]string{
				"app.kubernetes.io/name": app, "app.kubernetes.io/part-of": "shop", "app.kubernetes.io/version": "1.27.3",
				"pod-template-hash": "6f7d9c5b8", "team": fmt.Sprintf("team-%d", workload%20),
			},
			Annotations: map[string]string{
				"prometheus.io/scrape": "true", "prometheus.io/port": "9090", "checksum/config": strings.Repeat(app, 4),
			},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "ReplicaSet", Name: app + "-6f7d9c5b8", UID: types.UID(unique(workload, 36)),
				Controller: new(true), BlockOwnerDeletion: new(true),
			}},
			ManagedFields: managedFields(metav1.NewTime(began), token),
		},
		Spec:   podSpec(app, token, workload),
		Status: podStatus(app, n, metav1.NewTime(began)),
	}
}

// unique returns n hexadecimal digits that differ for each number.
func unique(number, n int) string {
	digits := fmt.Sprintf("%05x", number)
	return digits + strings.Repeat("a", n-len(digits))
}

func podSpec(app, token string, workload int) corev1.PodSpec {
	mount := corev1.VolumeMount{Name: token, ReadOnly: true, MountPath: "/var/run/secrets/kubernetes.io/serviceaccount"}
	return corev1.PodSpec{
		Containers: []corev1.Container{
			container("main", "registry.example.com/shop/"+app+":1.27.3", 5, mount),
			container("proxy", "registry.example.com/mesh/proxy:2.1.0", 2, mount),
		},
		Volumes: []corev1.Volume{
			{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: app + "-config"}, DefaultMode: new(int32(420)),
			}}},
			{Name: token, VolumeSource: corev1.VolumeSource{Projected: tokenVolume()}},
		},
		RestartPolicy: corev1.RestartPolicyAlways, DNSPolicy: corev1.DNSClusterFirst, SchedulerName: "default-scheduler",
		ServiceAccountName: app, DeprecatedServiceAccount: app, NodeName: fmt.Sprintf("node-%d", workload%50),
		TerminationGracePeriodSeconds: new(int64(30)), Priority: new(int32(0)), EnableServiceLinks: new(true),
		PreemptionPolicy: new(corev1.PreemptLowerPriority), SecurityContext: &corev1.PodSecurityContext{RunAsUser: new(int64(1000))},
		Tolerations: []corev1.Toleration{
			{Key: "node.kubernetes.io/not-ready", Operator: "Exists", Effect: "NoExecute", TolerationSeconds: new(int64(300))},
			{Key: "node.kubernetes.io/unreachable", Operator: "Exists", Effect: "NoExecute", TolerationSeconds: new(int64(300))},
		},
	}
}

func tokenVolume() *corev1.ProjectedVolumeSource {
	return &corev1.ProjectedVolumeSource{DefaultMode: new(int32(420)), Sources: []corev1.VolumeProjection{
		{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{ExpirationSeconds: new(int64(3607)), Path: "token"}},
		{ConfigMap: &corev1.ConfigMapProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"},
			Items:                []corev1.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}},
		}},
	}}
}

func container(name, image string, envs int, token corev1.VolumeMount) corev1.Container {
	c := corev1.Container{
		Name: name, Image: image, ImagePullPolicy: corev1.PullIfNotPresent, Args: []string{"--config=/etc/app/config.yaml", "--v=2"},
		Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: "TCP"}},
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("128Mi")},
			Limits:   corev1.ResourceList{"memory": resource.MustParse("256Mi")},
		},
		VolumeMounts: []corev1.VolumeMount{{Name: "config", MountPath: "/etc/app"}, token},
		ReadinessProbe: &corev1.Probe{
			ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/ready", Port: intstr.FromString("http"), Scheme: "HTTP"}},
			PeriodSeconds: 10, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 3,
		},
		TerminationMessagePath: "/dev/termination-log", TerminationMessagePolicy: "File",
		SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true)},
	}
	for i := range envs {
		c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("%s_SETTING_%d", strings.ToUpper(name), i), Value: "value"})
	}
	return c
}

func podStatus(app string, n int, began metav1.Time) corev1.PodStatus {
	ip := fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255)
	status := corev1.PodStatus{
		Phase: corev1.PodRunning, HostIP: fmt.Sprintf("192.168.0.%d", n%50), PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}},
		QOSClass: corev1.PodQOSBurstable, StartTime: &began,
	}
	for _, condition := range []corev1.PodConditionType{"Initialized", "Ready", "ContainersReady", "PodScheduled"} {
		status.Conditions = append(status.Conditions,
			corev1.PodCondition{Type: condition, Status: corev1.ConditionTrue, LastTransitionTime: began})
	}
	for _, name := range []string{"main", "proxy"} {
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: name, Image: "registry.example.com/shop/" + app, ImageID: "sha256:" + strings.Repeat("0123456789abcdef", 4),
			ContainerID: "containerd://" + name + unique(n, 59), Ready: true, Started: new(true),
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: began}},
		})
	}
	return status
}

func managedFields(began metav1.Time, token string) []metav1.ManagedFieldsEntry {
	fields := func(format string, n int) *metav1.FieldsV1 {
		var members []string
		for i := range n {
			members = append(members, fmt.Sprintf(format, i))
		}
		return metav1.NewFieldsV1("{" + strings.Join(members, ",") + "}")
	}
	return []metav1.ManagedFieldsEntry{
		{
			Manager: "kube-controller-manager", Operation: "Update", APIVersion: "v1", Time: &began, FieldsType: "FieldsV1",
			FieldsV1: fields(`"k:{\"name\":\"MAIN_SETTING_%d\"}":{".":{},"f:name":{},"f:value":{}}`, 5),
		},
		{
			Manager: "kubelet", Operation: "Update", APIVersion: "v1", Time: &began, FieldsType: "FieldsV1", Subresource: "status",
			FieldsV1: fields(`"f:`+token+`%d":{".":{}}`, 5),
		},
	}
}
