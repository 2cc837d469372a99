package lease

import (
	"context"
	"errors"
	"fmt"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/pkg/internal/pause"
)

// attempt tries once to get the lease, or to keep it.
func (e *Elector) attempt(ctx context.Context) {
	ctx, cancel := e.bounded(ctx)
	defer cancel()
	err := e.try(ctx)
	if isOutdated(err) {
		err = e.try(ctx)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		klog.FromContext(ctx).Info("Could not get or renew the lease", "err", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.trouble = err
	e.fence.explain(e.standbyLocked())
}

// bounded returns the context of an attempt, for requests that the fence lets through.
func (e *Elector) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(e.fence.own(ctx), e.config.RenewDeadline/2)
}

// isOutdated says whether the server refused a write because the Lease is not as it was seen. A look at it tells more.
func isOutdated(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err)
}

// standbyLocked says why this process does not lead.
func (e *Elector) standbyLocked() error {
	switch {
	case e.trouble != nil:
		return e.trouble
	case e.machine.holder() != "":
		return e.machine.heldBy()
	default:
		return errAsking
	}
}

func (e *Elector) try(ctx context.Context) error {
	if e.mustRead() {
		if err := e.read(ctx); err != nil {
			return err
		}
	}
	wish := e.wish()
	if wish == nil {
		return nil
	}
	sent := e.fence.read()
	written, err := e.write(ctx, wish)
	if err != nil {
		return err
	}
	e.succeed(written, sent)
	return nil
}

func (e *Elector) mustRead() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.machine.mustRead()
}

func (e *Elector) wish() *coordinationv1.Lease {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.machine.wish(e.now())
}

// succeed opens the fence, or keeps it open: the lease is this process's, by a request that was sent then.
func (e *Elector) succeed(written *coordinationv1.Lease, sent instant) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.machine.wrote(written, e.now())
	if e.held != nil {
		e.fence.renew(sent)
		return
	}
	e.held, e.since = e.fence.open(sent), sent.wall
}

func (e *Elector) read(ctx context.Context) error {
	lease, err := e.config.Client.Get(ctx, e.config.Name, metav1.GetOptions{})
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err == nil:
		e.machine.saw(lease, e.now())
	case apierrors.IsNotFound(err):
		e.machine.sawNone(e.now())
	default:
		return fmt.Errorf("read the lease: %w", err)
	}
	return nil
}

// write creates or updates the Lease, the latter only if nobody else has meanwhile.
func (e *Elector) write(ctx context.Context, wish *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	var written *coordinationv1.Lease
	var err error
	if e.exists() {
		written, err = e.config.Client.Update(ctx, wish, metav1.UpdateOptions{})
	} else {
		written, err = e.config.Client.Create(ctx, wish, metav1.CreateOptions{})
	}
	if err != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.machine.failed()
		return nil, fmt.Errorf("write the lease: %w", err)
	}
	return written, nil
}

func (e *Elector) exists() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.machine.exists()
}

// release gives the lease up if this process may have it. The fence must be closed. It tries again if that fails: the server may be
// away for a moment, or a renewal that was under way may have changed the Lease. In the end the others wait until it has expired.
func (e *Elector) release(ctx context.Context) {
	if !e.mayBeOurs() {
		return
	}
	ctx, cancel := e.bounded(context.WithoutCancel(ctx))
	defer cancel()
	err := e.fence.drain(ctx)
	for ctx.Err() == nil {
		if err = e.resign(ctx); err == nil {
			return
		}
		pause.For(ctx, e.config.Clock, e.config.RetryPeriod/10)
	}
	klog.FromContext(ctx).Error(err, "Could not give the lease up")
}

func (e *Elector) mayBeOurs() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.machine.mayBeOurs()
}

// resign reads the Lease, and gives it up if it is this process's.
func (e *Elector) resign(ctx context.Context) error {
	if err := e.read(ctx); err != nil {
		return err
	}
	wish := e.resignation()
	if wish == nil {
		return nil
	}
	written, err := e.write(ctx, wish)
	if err != nil {
		return err
	}
	klog.FromContext(ctx).Info("Gave the lease up")
	e.mu.Lock()
	defer e.mu.Unlock()
	e.machine.saw(written, e.now())
	return nil
}

func (e *Elector) resignation() *coordinationv1.Lease {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.machine.resignation(e.now())
}
