// +k8s:deepcopy-gen=package
// +groupName=stable.example.com
// +kubebuilder:validation:Optional

// Package v1 is version v1 of the API group stable.example.com. Its only resource is CronTab, which creates Jobs on a
// schedule.
//
// The API server guarantees, by the schema and the CEL rules of the CRD:
//
//   - A field whose comment says "Defaults to" is set in every object that the server returns.
//   - The name of a CronTab leaves room for the suffix of its Jobs.
//   - The time zone is never hidden in the schedule, and never that of the controller's machine.
//   - The status changes by way of the status subresource only.
//
// It does not check that the schedule can be parsed nor that the time zone exists: that depends on the controller, which
// reports it by the condition Ready.
//
// The clientset, listers, informers, apply configurations and the CRD are generated from these types, see
// pkg/generated.
package v1
