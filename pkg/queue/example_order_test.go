package queue_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// However much urgent work there is, a lower class gets its turn.
func ExampleConfig_maxOvertakes() {
	q := queue.New(queue.Config[string]{MaxOvertakes: 2})
	q.AddWith("resync", queue.AddOptions{Priority: queue.Background})
	for _, key := range []string{"urgent-1", "urgent-2", "urgent-3"} {
		q.AddWith(key, queue.AddOptions{Priority: queue.Urgent})
	}

	for q.Len() > 0 {
		item, _ := q.Take(context.Background())
		fmt.Println(item.Key)
		q.Finish(item, queue.Success())
	}
	// Output:
	// urgent-1
	// urgent-2
	// resync
	// urgent-3
}

// shortestFirst is an order of one's own.
type shortestFirst struct{ keys []string }

func (s *shortestFirst) Len() int     { return len(s.keys) }
func (s *shortestFirst) Touch(string) {}

func (s *shortestFirst) Push(key string) {
	s.keys = append(s.keys, key)
	slices.SortStableFunc(s.keys, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
}

func (s *shortestFirst) Pop() string {
	key := s.keys[0]
	s.keys = s.keys[1:]
	return key
}

func ExampleOrder() {
	q := queue.New(queue.Config[string]{Order: &shortestFirst{}})
	for _, key := range []string{"medium", "longest one", "short"} {
		q.Add(key)
	}

	for q.Len() > 0 {
		item, _ := q.Take(context.Background())
		fmt.Println(item.Key)
		q.Finish(item, queue.Success())
	}
	// Output:
	// short
	// medium
	// longest one
}
