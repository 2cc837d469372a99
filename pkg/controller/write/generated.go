package write

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/answer"
)

const (
	maxGeneratedName = 63 // as API servers have it
	randomLength     = 8  // more than theirs: a name that exists must be ours
)

// generateName makes a name as API servers do.
func generateName(base string) string {
	return base[:min(len(base), maxGeneratedName-randomLength)] + rand.String(randomLength)
}

// createGenerated creates an object under a name that nobody else knows. So one that exists after an answer was lost is ours.
func (w *Writer[T]) createGenerated(ctx context.Context, obj T) (T, error) {
	var none T
	named, ok := obj.DeepCopyObject().(T)
	if !ok {
		return none, fmt.Errorf("a copy of a %T is no such", obj)
	}
	named.SetName(generateName(obj.GetGenerateName()))
	client, lost := w.Client(obj.GetNamespace()), false
	for attempt := 1; ; attempt++ {
		created, err := client.Create(ctx, named, metav1.CreateOptions{})
		switch {
		case apierrors.IsAlreadyExists(err) && lost:
			return w.find(ctx, named)
		case apierrors.IsAlreadyExists(err):
			named.SetName(generateName(obj.GetGenerateName()))
		case answer.IsLost(err):
			lost = true
		default:
			return created, err
		}
		if err := w.again(ctx, attempt, err); err != nil {
			return none, err
		}
	}
}

// find reads what was created by a request whose answer was lost.
func (w *Writer[T]) find(ctx context.Context, named T) (T, error) {
	found, err := w.open(named.GetNamespace()).Get(ctx, named.GetName(), metav1.GetOptions{})
	w.record(ctx, &w.counts.created, found, nil, err)
	return found, err
}
