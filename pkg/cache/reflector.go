package cache

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/klog/v2"
)

// A Sink takes what a [Reflector] reads, from one goroutine. A [DeltaFIFO] is one.
type Sink[T Object] interface {
	// Replace states all objects there are at a resource version.
	Replace(items []T, resourceVersion string)
	Add(obj T)
	Update(obj T)
	// Delete states a deletion with the object's final state.
	Delete(obj T)
	// Bookmark states that nothing else happened up to the resource version.
	Bookmark(resourceVersion string)
}

// A Reflector keeps a [Sink] up to date with an API server: it lists, then watches, and goes on whatever happens to its
// requests. Create one with [NewReflector].
type Reflector[T Object] struct {
	source   ListerWatcher[T]
	convert  func(runtime.Object) (T, error) // of the objects of watch events
	sink     Sink[T]
	config   Config
	protocol protocol
	status   status
}

// NewReflector returns a Reflector that reads from source, which may be a [Converter], into sink.
func NewReflector[T Object](source ListerWatcher[T], sink Sink[T], config Config) *Reflector[T] {
	convert := asserted[T]
	if converter, ok := source.(Converter[T]); ok {
		convert = converter.Convert
	}
	return &Reflector[T]{source: source, convert: convert, sink: sink, config: config.withDefaults(typeName[T]())}
}

func typeName[T Object]() string { return reflect.TypeFor[T]().String() }

// Run reads until the context is done; only then it returns. Call it once.
func (r *Reflector[T]) Run(ctx context.Context) {
	ctx = klog.NewContext(ctx, r.config.logger(ctx))
	defer r.status.disconnected()
	for next := r.protocol.first(); ; {
		if !r.wait(ctx, next) {
			return
		}
		end := r.do(ctx, next)
		if ctx.Err() != nil {
			return
		}
		next = r.protocol.next(end)
		r.report(ctx, end)
	}
}

// Status returns what the Reflector has done so far. It may be called at any time.
func (r *Reflector[T]) Status() Status { return r.status.get() }

// wait waits as long as the request demands. It returns false when the context is done.
func (r *Reflector[T]) wait(ctx context.Context, next request) bool {
	delay := r.delay(next)
	if delay <= 0 {
		return ctx.Err() == nil
	}
	timer := r.config.Clock.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-ctx.Done():
		return false
	}
}

func (r *Reflector[T]) delay(next request) time.Duration {
	backoff := time.Duration(0)
	if next.backoff > 0 {
		backoff = r.config.MinBackoff
		for n := 1; n < next.backoff && backoff < r.config.MaxBackoff; n++ {
			backoff *= 2
		}
		backoff = min(backoff, r.config.MaxBackoff)
		backoff += rand.N(backoff)
	}
	return max(backoff, min(next.retryAfter, r.config.MaxBackoff))
}

func (r *Reflector[T]) do(ctx context.Context, next request) outcome {
	if next.watch {
		return r.watch(ctx, next)
	}
	return r.list(ctx, next)
}

// list reads all pages and hands them to the sink as one state.
func (r *Reflector[T]) list(ctx context.Context, next request) outcome {
	r.status.listing()
	opts := metav1.ListOptions{ResourceVersion: next.resourceVersion}
	if next.resourceVersion != "" {
		opts.ResourceVersionMatch = metav1.ResourceVersionMatchNotOlderThan
	}
	if !next.unpaged && r.config.PageSize > 0 {
		opts.Limit = r.config.PageSize
	}
	r.config.ListOptions(&opts)

	var items []T
	for {
		page, err := r.source.List(ctx, opts)
		if err != nil {
			return listOutcome(fmt.Errorf("list: %w", err), opts.Continue != "")
		}
		items = r.appendValid(ctx, items, page.Items)
		if page.Continue == "" {
			r.sink.Replace(items, page.ResourceVersion)
			r.status.listed(len(items))
			return outcome{kind: listed, resourceVersion: page.ResourceVersion}
		}
		// A token carries its own version; a server refuses a request that names both.
		opts.Continue, opts.ResourceVersion, opts.ResourceVersionMatch = page.Continue, "", ""
	}
}

func (r *Reflector[T]) appendValid(ctx context.Context, items, page []T) []T {
	for _, item := range page {
		if item.GetName() == "" {
			r.skip(ctx, "a listed object has no name")
			continue
		}
		items = append(items, item)
	}
	return items
}

// watch hands changes to the sink until the stream ends.
func (r *Reflector[T]) watch(ctx context.Context, next request) outcome {
	timeout := r.config.WatchTimeout + rand.N(r.config.WatchTimeout)
	opts := metav1.ListOptions{
		ResourceVersion:     next.resourceVersion,
		AllowWatchBookmarks: true,
		TimeoutSeconds:      new(int64(math.Ceil(timeout.Seconds()))),
	}
	r.config.ListOptions(&opts)

	started := r.config.Clock.Now()
	stream, err := r.source.Watch(ctx, opts)
	if err != nil {
		return watchOutcome(fmt.Errorf("watch: %w", err))
	}
	r.status.watching()
	defer stop(stream)
	last, err := r.receive(ctx, stream)
	end := watchOutcome(err)
	end.resourceVersion = last
	end.progress = last != "" || r.config.Clock.Since(started) > r.config.MaxBackoff
	return end
}

// stop ends a stream and waits until its goroutine has closed the channel.
func stop(stream watch.Interface) {
	stream.Stop()
	for range stream.ResultChan() { // what is still under way is dropped
		continue
	}
}

// receive returns the last resource version seen, empty if none, and the error that the server sent, if any.
func (r *Reflector[T]) receive(ctx context.Context, stream watch.Interface) (last string, err error) {
	for {
		select {
		case <-ctx.Done():
			return last, nil
		case event, ok := <-stream.ResultChan():
			if !ok {
				return last, nil
			}
			if event.Type == watch.Error {
				return last, fmt.Errorf("watch: %w", apierrors.FromObject(event.Object))
			}
			if version := r.handle(ctx, event); version != "" {
				last = version
			}
		}
	}
}

// handle passes one event on and returns its resource version. It is empty if the event could not be used, or has none, as
// in client-go's fake clientsets.
func (r *Reflector[T]) handle(ctx context.Context, event watch.Event) string {
	obj, err := r.usable(event)
	if err != nil {
		r.skip(ctx, err.Error())
		return ""
	}
	version := obj.GetResourceVersion() // the sink may change the object
	switch event.Type {
	case watch.Added:
		r.sink.Add(obj)
	case watch.Modified:
		r.sink.Update(obj)
	case watch.Deleted:
		r.sink.Delete(obj)
	case watch.Bookmark:
		r.sink.Bookmark(version)
	default:
		r.skip(ctx, fmt.Sprintf("an event has the unknown type %q", event.Type))
		return ""
	}
	r.status.received()
	return version
}

// usable returns the event's object, or why it can't be used.
func (r *Reflector[T]) usable(event watch.Event) (T, error) {
	obj, err := r.convert(event.Object)
	switch {
	case err != nil:
		return obj, fmt.Errorf("an event holds %w", err)
	case obj.GetResourceVersion() == "" && event.Type == watch.Bookmark:
		return obj, errors.New("a bookmark has no resource version")
	case obj.GetName() == "" && event.Type != watch.Bookmark:
		return obj, fmt.Errorf("the object of a %s event has no name", event.Type)
	}
	return obj, nil
}

func asserted[T Object](obj runtime.Object) (T, error) {
	object, ok := obj.(T)
	if !ok {
		return object, fmt.Errorf("a %s, expected a %s", kindOf(obj), typeName[T]())
	}
	return object, nil
}

func kindOf(obj runtime.Object) string {
	if obj == nil {
		return "nil object"
	}
	return fmt.Sprintf("%T %s", obj, obj.GetObjectKind().GroupVersionKind())
}

// skip counts an object that can't be used, and goes on.
func (r *Reflector[T]) skip(ctx context.Context, why string) {
	r.status.skipped()
	klog.FromContext(ctx).Info("Skipped", "reason", why)
}

func (r *Reflector[T]) report(ctx context.Context, end outcome) {
	r.status.ended(end)
	logger := klog.FromContext(ctx)
	if end.err != nil {
		if r.config.OnError != nil {
			r.config.OnError(ctx, end.err)
		}
		logger.Info("Will try again", "err", end.err, "failures", r.protocol.failures)
		return
	}
	logger.V(4).Info("Request ended", "resourceVersion", end.resourceVersion)
}
