package controller_test

import (
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// asked returns the options with which a source adds keys, for those that it is given.
func asked(source func(controller.Source[string]) controller.Source[string], given queue.AddOptions) (got queue.AddOptions) {
	h := newHand()
	source(h).Subscribe(controller.Target[string]{Add: func(_ string, options queue.AddOptions) { got = options }})
	h.to.Add("a", given)
	return got
}

func TestAtOnceAndAtPriority(t *testing.T) {
	high := func(s controller.Source[string]) controller.Source[string] {
		return controller.AtPriority(queue.High, s)
	}
	background := func(s controller.Source[string]) controller.Source[string] {
		return controller.AtPriority(queue.Background, s)
	}
	tests := map[string]struct {
		source      func(controller.Source[string]) controller.Source[string]
		given, want queue.AddOptions
	}{
		"at once":       {controller.AtOnce[string], queue.AddOptions{Priority: queue.Low}, queue.AddOptions{Priority: queue.Low, Now: true}},
		"high":          {high, queue.AddOptions{}, queue.AddOptions{Priority: queue.High}},
		"first pass":    {high, queue.AddOptions{Priority: queue.Low}, queue.AddOptions{Priority: queue.Low}},
		"lower":         {background, queue.AddOptions{Priority: queue.Low}, queue.AddOptions{Priority: queue.Background}},
		"lower, normal": {background, queue.AddOptions{}, queue.AddOptions{Priority: queue.Background}},
	}
	for name, test := range tests {
		if got := asked(test.source, test.given); got != test.want {
			t.Errorf("%s: added with %+v, want %+v", name, got, test.want)
		}
	}
}

func TestInCluster(t *testing.T) {
	names := make(chan types.NamespacedName, 1)
	names <- types.NamespacedName{Namespace: "ns", Name: "a"}
	got := make(chan controller.ClusterKey)
	subscription := controller.InCluster("east", controller.Channel("test", names)).Subscribe(controller.Target[controller.ClusterKey]{
		Add: func(key controller.ClusterKey, _ queue.AddOptions) { got <- key },
	})
	defer subscription.Close()
	if key := <-got; key.Cluster != "east" || key.String() != "east/ns/a" {
		t.Errorf("the key is %v", key)
	}
}

// Each keeps its cluster in logs that take texts and in those that take structures.
func TestClusterKeysInLogs(t *testing.T) {
	key := controller.ClusterKey{Cluster: "east", NamespacedName: types.NamespacedName{Namespace: "ns", Name: "a"}}
	var text, structured string
	funcr.New(func(_, args string) { text = args }, funcr.Options{}).Info("x", "key", key)
	funcr.NewJSON(func(obj string) { structured = obj }, funcr.Options{}).Info("x", "key", key)
	if want := `"key"={"cluster"="east" "namespace"="ns" "name"="a"}`; !strings.Contains(text, want) {
		t.Errorf("the text is %s, want %s in it", text, want)
	}
	if want := `"key":{"cluster":"east","namespace":"ns","name":"a"}`; !strings.Contains(structured, want) {
		t.Errorf("the structure is %s, want %s in it", structured, want)
	}
}
