package fleet

import (
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Pod returns a pod as a Deployment would make it. With what the API server adds, a volume of a token and managed fields,
// it has about 4 kB as JSON. It is bound to no node and has no owner: else it would be collected.
func Pod(number int) *corev1.Pod {
	app := App(number)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: Namespace(number),
			Name:      Name(number),
			Labels: map[string]string{
				AppLabel:                       app,
				"app.kubernetes.io/instance":   app + "-production",
				"app.kubernetes.io/version":    "1.24." + strconv.Itoa(number%7),
				"app.kubernetes.io/managed-by": "helm",
				"pod-template-hash":            fmt.Sprintf("%010x", number%Workloads*7919),
			},
			Annotations: map[string]string{"checksum/config": fmt.Sprintf("%064x", number%Workloads*104729)},
		},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{container(app)},
			Volumes: []corev1.Volume{
				{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
					LocalObjectReference: corev1.LocalObjectReference{Name: app + "-config"},
				}}},
			},
		},
	}
}

func container(app string) corev1.Container {
	return corev1.Container{
		Name:  app,
		Image: "registry.example.com/team/" + app + ":1.24.3",
		Args:  []string{"--config=/etc/app/config.yaml", "--listen=:8080", "--log-format=json"},
		Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}, {Name: "metrics", ContainerPort: 9090}},
		Env:   environment(app),
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("250m"), corev1.ResourceMemory: resource.MustParse("256Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("512Mi")},
		},
		VolumeMounts: []corev1.VolumeMount{{Name: "config", MountPath: "/etc/app", ReadOnly: true}},
		ReadinessProbe: &corev1.Probe{
			ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("http")}},
			PeriodSeconds: 10,
		},
	}
}

func environment(app string) []corev1.EnvVar {
	env := []corev1.EnvVar{
		{Name: "POD_IP", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "status.podIP"}}},
		{Name: "DATABASE_PASSWORD", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: app + "-database"}, Key: "password",
		}}},
	}
	for _, name := range []string{"DATABASE_HOST", "CACHE_HOST"} {
		env = append(env, corev1.EnvVar{Name: name, Value: app + "-backend.production.svc.cluster.local"})
	}
	return env
}

// SmallPod returns a pod that was never on a server: with a UID, a version and a node, and little else. It shares no memory
// with other pods, as if it had been decoded.
func SmallPod(number int) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       Namespace(number),
			Name:            Name(number),
			UID:             types.UID("uid-" + strconv.Itoa(number)),
			ResourceVersion: strconv.Itoa(number + 1),
			Labels:          map[string]string{AppLabel: App(number)},
		},
		Spec: corev1.PodSpec{NodeName: "node-" + strconv.Itoa(number/100)},
	}
}
