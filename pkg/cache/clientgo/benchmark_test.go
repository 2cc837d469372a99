package clientgo_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// A full store: so many pods, a hundred on each node.
const (
	fullStore = 10_000
	perNode   = 100
)

func benchmarkPods(version int) []any {
	pods := make([]any, 0, fullStore)
	for i := range fullStore {
		pods = append(pods, newPod(fmt.Sprint("pod-", i), inNamespace(fmt.Sprint("ns-", i%50)),
			onNode(fmt.Sprint("node-", i/perNode)), atVersion(strconv.Itoa(version))))
	}
	return pods
}

// BenchmarkStore compares what readers and writers of a store wait for.
func BenchmarkStore(b *testing.B) {
	pods, next := benchmarkPods(1), benchmarkPods(2)
	for _, impl := range implementations() {
		indexer := impl.newIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{
			"node": byNode, cache.NamespaceIndex: cache.MetaNamespaceIndexFunc,
		})
		if err := indexer.Replace(pods, "1"); err != nil {
			b.Fatal(err)
		}
		for name, operation := range map[string]func(i int){
			"GetByKey":  func(int) { _, _, _ = indexer.GetByKey("ns-17/pod-17") },
			"List":      func(int) { indexer.List() },
			"ListKeys":  func(int) { indexer.ListKeys() },
			"ByIndex":   func(int) { _, _ = indexer.ByIndex("node", "node-17") },
			"IndexKeys": func(int) { _, _ = indexer.IndexKeys("node", "node-17") },
			"Update":    func(i int) { _ = indexer.Update(next[i%fullStore]) },
			"Replace":   func(int) { _ = indexer.Replace(next, "2") },
		} {
			b.Run(name+"/"+impl.name, func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					operation(i)
				}
			})
		}
	}
}

// BenchmarkEvents is the way of one change from the watch to each of ten handlers.
func BenchmarkEvents(b *testing.B) {
	const handlers = 10
	for _, impl := range implementations() {
		b.Run(impl.name, func(b *testing.B) {
			stream := watch.NewFakeWithOptions(watch.FakeOptions{ChannelSize: 1000})
			informer := newPodInformer(impl, old{&cache.ListWatch{
				ListWithContextFunc:  func(context.Context, metav1.ListOptions) (runtime.Object, error) { return benchmarkList(), nil },
				WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) { return stream, nil },
			}})
			var told sync.WaitGroup
			last := strconv.Itoa(2 + b.N)
			for range handlers {
				told.Add(1)
				_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{UpdateFunc: func(_, obj any) {
					if obj.(*corev1.Pod).ResourceVersion == last {
						told.Done()
					}
				}})
				if err != nil {
					b.Fatal(err)
				}
			}
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() { informer.Run(stop); close(stopped) }()
			cache.WaitForCacheSync(b.Context().Done(), informer.HasSynced)
			changes := make([]*corev1.Pod, b.N)
			for i := range changes {
				changes[i] = newPod(fmt.Sprint("pod-", i%1000), onNode("n"), atVersion(strconv.Itoa(3+i)))
			}
			b.ReportAllocs()
			b.ResetTimer()
			for _, pod := range changes {
				stream.Modify(pod)
			}
			told.Wait()
			b.StopTimer()
			b.ReportMetric(float64(handlers*b.N)/b.Elapsed().Seconds(), "events/s")
			close(stop)
			<-stopped
		})
	}
}

func benchmarkList() *corev1.PodList {
	list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: "2"}}
	for i := range 1000 {
		list.Items = append(list.Items, *newPod(fmt.Sprint("pod-", i), onNode("n"), atVersion("1")))
	}
	return list
}
