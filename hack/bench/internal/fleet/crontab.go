package fleet

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
)

// CronTab returns a custom resource which has, with what the API server adds, about 2 kB as JSON.
func CronTab(number int) *stablev1.CronTab {
	app, zone := App(number), "Europe/Vienna"
	command := []string{"/usr/local/bin/" + app, "--config=/etc/app/config.yaml"}
	for _, table := range []string{"orders", "customers", "invoices", "shipments", "returns", "audit"} {
		command = append(command, fmt.Sprintf("--export=%s=s3://%s-archive/production/%s/latest.parquet", table, app, table))
	}
	return &stablev1.CronTab{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: Namespace(number),
			Name:      Name(number),
			Labels: map[string]string{
				AppLabel:                       app,
				"app.kubernetes.io/instance":   app + "-production",
				"app.kubernetes.io/managed-by": "helm",
			},
			Annotations: map[string]string{
				"checksum/config":           fmt.Sprintf("%064x", number%Workloads*104729),
				"example.com/owner":         "team-" + app + "@example.com",
				"example.com/documentation": "https://handbook.example.com/exports/" + app,
			},
		},
		Spec: stablev1.CronTabSpec{
			Schedule: fmt.Sprintf("%d %d * * *", number%60, number%24),
			TimeZone: &zone,
			Image:    "registry.example.com/team/" + app + ":1.24.3",
			Command:  command,
		},
	}
}
