package fleet

import (
	"context"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Write updates the ConfigMaps in turn, n times in all, at so many a second, each with a stamp of the moment before. A write
// that takes long holds up none but those of the same object.
func (c *Cluster) Write(ctx context.Context, run string, objects, n, perSecond int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ticker := time.NewTicker(time.Second / time.Duration(perSecond))
	defer ticker.Stop()
	locks := make([]sync.Mutex, objects)
	var group sync.WaitGroup
	for i := 0; i < n && ctx.Err() == nil; i++ {
		group.Go(func() {
			number := i % objects
			locks[number].Lock()
			defer locks[number].Unlock()
			object := ConfigMap(number, Stamp{Run: run, Time: time.Now()})
			if _, err := c.core.CoreV1().ConfigMaps(object.Namespace).Update(ctx, object, metav1.UpdateOptions{}); err != nil {
				cancel(fmt.Errorf("write ConfigMap %q: %w", object.Name, err))
			}
		})
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	group.Wait()
	return context.Cause(ctx)
}
