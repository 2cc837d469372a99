package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +genclient
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,shortName=ct,categories=all
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Schedule",type=string,JSONPath=`.spec.schedule`
// +kubebuilder:printcolumn:name="Timezone",type=string,JSONPath=`.spec.timeZone`
// +kubebuilder:printcolumn:name="Suspend",type=boolean,JSONPath=`.spec.suspend`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Last Schedule",type=date,JSONPath=`.status.lastScheduleTime`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Next Schedule",type=string,priority=1,JSONPath=`.status.nextScheduleTime`
// +kubebuilder:printcolumn:name="Concurrency",type=string,priority=1,JSONPath=`.spec.concurrencyPolicy`
// +kubebuilder:printcolumn:name="Image",type=string,priority=1,JSONPath=`.spec.image`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 52",message="metadata.name must be no more than 52 characters: the names of its Jobs add 11"

// CronTab creates a Job each time its schedule comes due.
type CronTab struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata. The name is at most 52 characters long, so that the names of the Jobs,
	// which add a hyphen and a ten-digit time, can be label values.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says what to run, and when.
	//
	// +required
	Spec CronTabSpec `json:"spec"`

	// status is what the controller last observed and did. Everybody else only reads it.
	//
	// +optional
	Status CronTabStatus `json:"status,omitempty"`
}

// CronTabSpec describes what to run, and when.
type CronTabSpec struct {
	// schedule is when to run: five cron fields ("*/5 * * * *"), a descriptor ("@hourly"), or an interval ("@every 90s").
	// A time zone goes into timeZone, not here. A schedule that cannot be parsed is stored; the condition Ready reports
	// it with reason InvalidSchedule.
	//
	// +required
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.trim() != ''",message="must not be blank"
	// +kubebuilder:validation:XValidation:rule="!self.contains('TZ=')",message="must not set TZ or CRON_TZ: use timeZone instead"
	Schedule string `json:"schedule"`

	// timeZone is the name of the schedule's time zone in the IANA database ("Europe/Vienna"). It must not be "Local". A
	// zone that the controller does not know is stored; the condition Ready reports it with reason InvalidTimeZone.
	// Without it the schedule is in UTC.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.lowerAscii() != 'local'",message="must name a time zone: Local would depend on the controller's machine"
	TimeZone *string `json:"timeZone,omitempty"`

	// image is the container image that every run starts.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.trim() == self",message="must not begin or end with white space"
	Image string `json:"image"`

	// command is the program to run in the image, and its arguments; no shell is involved. Without it the image's entry
	// point runs.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MaxLength=32768
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self[0] != ''",message="the first item is the program and must not be empty"
	Command []string `json:"command,omitempty"`

	// concurrencyPolicy says what to do when a run comes due while an earlier one is active: Allow starts it as well,
	// Forbid skips it, Replace deletes the active one and starts it. Defaults to Allow.
	//
	// +optional
	// +default="Allow"
	ConcurrencyPolicy ConcurrencyPolicy `json:"concurrencyPolicy,omitempty"`

	// suspend holds back all further runs; active ones go on. Runs that come due meanwhile count as missed. Defaults to
	// false.
	//
	// +optional
	// +default=false
	Suspend *bool `json:"suspend,omitempty"`

	// startingDeadlineSeconds is how many seconds after its time a missed run may still start; later it is skipped. With
	// zero, every run that is late at all is skipped. Without it, the latest of all missed runs starts, however late.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	StartingDeadlineSeconds *int64 `json:"startingDeadlineSeconds,omitempty"`

	// successfulJobsHistoryLimit is how many Jobs that succeeded to keep, the latest ones. Zero keeps none. Defaults to 3.
	//
	// +optional
	// +default=3
	// +kubebuilder:validation:Minimum=0
	SuccessfulJobsHistoryLimit *int32 `json:"successfulJobsHistoryLimit,omitempty"`

	// failedJobsHistoryLimit is how many Jobs that failed to keep, the latest ones. Zero keeps none. Defaults to 1.
	//
	// +optional
	// +default=1
	// +kubebuilder:validation:Minimum=0
	FailedJobsHistoryLimit *int32 `json:"failedJobsHistoryLimit,omitempty"`
}

// +enum
// +kubebuilder:validation:Enum=Allow;Forbid;Replace

// ConcurrencyPolicy says what happens to a run that comes due while an earlier one is active.
type ConcurrencyPolicy string

const (
	// AllowConcurrent starts the run beside the active one.
	AllowConcurrent ConcurrencyPolicy = "Allow"

	// ForbidConcurrent skips the run.
	ForbidConcurrent ConcurrencyPolicy = "Forbid"

	// ReplaceConcurrent deletes the active run and starts the new one.
	ReplaceConcurrent ConcurrencyPolicy = "Replace"
)

// CronTabStatus is what the controller last observed and did.
type CronTabStatus struct {
	// observedGeneration is the metadata.generation that the rest of the status was computed from.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are the state of the CronTab. Ready is True while runs are started on schedule; otherwise its reason
	// and message say why not.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// lastScheduleTime is the time on the schedule of the latest run that was started; the run may have started later.
	//
	// +optional
	LastScheduleTime *metav1.Time `json:"lastScheduleTime,omitempty"`

	// nextScheduleTime is the time on the schedule of the next run. It is absent if there is none, as when suspended.
	//
	// +optional
	NextScheduleTime *metav1.Time `json:"nextScheduleTime,omitempty"`

	// active refers to the Jobs that are running now. The controller owns the list as a whole.
	//
	// +optional
	// +listType=atomic
	Active []corev1.ObjectReference `json:"active,omitempty"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:object:root=true

// CronTabList is a list of CronTabs.
type CronTabList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard list metadata.
	//
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the CronTabs.
	Items []CronTab `json:"items"`
}
