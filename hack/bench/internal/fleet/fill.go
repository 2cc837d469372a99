package fleet

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
)

// A Cluster is one that is filled.
type Cluster struct {
	core     kubernetes.Interface
	cronTabs versioned.Interface
	progress io.Writer
}

// NewCluster returns the cluster of the config. Progress is told in lines.
func NewCluster(config *rest.Config, progress io.Writer) (*Cluster, error) {
	core, err := kubernetes.NewForConfig(Protobuf(config))
	if err != nil {
		return nil, err
	}
	cronTabs, err := versioned.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &Cluster{core, cronTabs, progress}, nil
}

// Protobuf returns a config for clients of built-in types.
func Protobuf(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	config.ContentType = "application/vnd.kubernetes.protobuf"
	return config
}

// Prepare makes the namespaces.
func (c *Cluster) Prepare(ctx context.Context) error {
	names := []string{ConfigMapNamespace}
	for number := range Namespaces {
		names = append(names, Namespace(number))
	}
	for _, name := range names {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		_, err := c.core.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	for _, name := range names {
		if err := c.waitForServiceAccount(ctx, name); err != nil {
			return fmt.Errorf("namespace %q: %w", name, err)
		}
	}
	return nil
}

// waitForServiceAccount waits for what pods need that are to be created.
func (c *Cluster) waitForServiceAccount(ctx context.Context, namespace string) error {
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := c.core.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
		return err == nil, ignoreNotFound(err)
	})
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// A filling puts one kind of object there.
type filling struct {
	kind   string
	count  func(context.Context) (int, error)
	create func(ctx context.Context, number int) error
}

// FillPods makes pods until there are n, and no others.
func (c *Cluster) FillPods(ctx context.Context, n int) error {
	return c.fill(ctx, n, filling{
		kind: "pods",
		count: func(ctx context.Context) (int, error) {
			list, err := c.core.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{Limit: 1})
			return countOf(list, err)
		},
		create: func(ctx context.Context, number int) error {
			_, err := c.core.CoreV1().Pods(Namespace(number)).Create(ctx, Pod(number), metav1.CreateOptions{FieldManager: "helm"})
			return err
		},
	})
}

// FillCronTabs makes CronTabs until there are n, and no others. Their definition must be there.
func (c *Cluster) FillCronTabs(ctx context.Context, n int) error {
	client := c.cronTabs.StableV1()
	return c.fill(ctx, n, filling{
		kind: "CronTabs",
		count: func(ctx context.Context) (int, error) {
			list, err := client.CronTabs(metav1.NamespaceAll).List(ctx, metav1.ListOptions{Limit: 1})
			return countOf(list, err)
		},
		create: func(ctx context.Context, number int) error {
			_, err := client.CronTabs(Namespace(number)).Create(ctx, CronTab(number), metav1.CreateOptions{FieldManager: "helm"})
			return err
		},
	})
}

// FillConfigMaps makes ConfigMaps until there are n. Kubernetes adds one, [RootCA].
func (c *Cluster) FillConfigMaps(ctx context.Context, n int) error {
	client := c.core.CoreV1().ConfigMaps(ConfigMapNamespace)
	return c.fill(ctx, n, filling{
		kind: "ConfigMaps",
		count: func(ctx context.Context) (int, error) {
			list, err := client.List(ctx, metav1.ListOptions{Limit: 1})
			count, err := countOf(list, err)
			return count - 1, err
		},
		create: func(ctx context.Context, number int) error {
			_, err := client.Create(ctx, ConfigMap(number, Stamp{Run: "created", Time: time.Now()}), metav1.CreateOptions{})
			return err
		},
	})
}

// countOf returns how many objects there are, of a list that has the first.
func countOf(list runtime.Object, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	accessor, err := meta.ListAccessor(list)
	if err != nil {
		return 0, err
	}
	count := meta.LenList(list)
	if remaining := accessor.GetRemainingItemCount(); remaining != nil {
		count += int(*remaining)
	}
	return count, nil
}

// fillers is how many objects are made at the same time.
const fillers = 16

// fill creates those with the numbers below n, several at a time. Objects that are there already are left as they are.
func (c *Cluster) fill(ctx context.Context, n int, f filling) error {
	present, err := f.count(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("count the %s: %w", f.kind, err)
	case present == n:
		return nil
	case present > n:
		return fmt.Errorf("the cluster has %d %s, want no more than the %d that are measured: use an empty one", present, f.kind, n)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var group sync.WaitGroup
	began := time.Now()
	for range fillers {
		group.Go(func() {
			for number := int(next.Add(1)) - 1; number < n && ctx.Err() == nil; number = int(next.Add(1)) - 1 {
				if err := f.create(ctx, number); err != nil && !apierrors.IsAlreadyExists(err) {
					cancel(fmt.Errorf("create number %d of the %s: %w", number, f.kind, err))
				}
				if done := number + 1; done%2000 == 0 || done == n {
					fmt.Fprintf(c.progress, "%d of %d %s are there, after %.0f s\n", done, n, f.kind, time.Since(began).Seconds())
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}
