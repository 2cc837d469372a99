package events_test

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-k8s/sluice/pkg/controller/events"
)

// A reconcile records what it did. The job comes from a cache, so it does not say that it is a Job; the recorder knows.
func ExampleRecorder() {
	clients := fake.NewClientset()
	recorder, err := events.New(events.Config{Client: clients.EventsV1(), Controller: "crontab"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- recorder.Run(ctx) }()

	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "nightly-1"}}
	for range 3 {
		recorder.Warning(job, "TooLate", "CreateJob", "the deadline for the start is over")
	}

	stop()
	if err := <-stopped; err != nil {
		fmt.Println(err)
	}
	list, err := clients.EventsV1().Events("shop").List(context.Background(), metav1.ListOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, event := range list.Items {
		fmt.Println(event.Type, event.Reason, event.Regarding.Kind, event.Regarding.Name)
		fmt.Println(event.Note, event.Series.Count)
	}
	status := recorder.Status()
	fmt.Println(status.Recorded, "recorded,", status.Sent, "sent")
	// Output:
	// Warning TooLate Job nightly-1
	// the deadline for the start is over 3
	// 3 recorded, 3 sent
}
