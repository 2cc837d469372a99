package queue_test

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A chooser makes the choices of which a trial consists: a number from 0 to n-1.
type chooser interface {
	choose(what string, n int) int
}

func oneOf[T any](c chooser, what string, options ...T) T {
	return options[c.choose(what, len(options))]
}

// A modelConfig is a queue's config, and what the model has to know of the functions in it.
type modelConfig struct {
	queue.Config[string]

	keys          []string
	order         orderKind
	limiterCounts bool // the limiter is no Pacer
	base, longest time.Duration
}

type orderKind int

const (
	noOrder orderKind = iota
	fifo
	touchedFirst
)

func chooseConfig(c chooser) modelConfig {
	config := modelConfig{
		keys:          []string{"a1", "b1", "a2", "b2", "c1", "c2"}[:oneOf(c, "keys", 6, 2, 1)],
		order:         oneOf(c, "order", noOrder, noOrder, noOrder, fifo, touchedFirst),
		limiterCounts: oneOf(c, "limiter counts", false, false, true),
		base:          oneOf(c, "base", time.Second, 0),
		longest:       4 * time.Second,
	}
	config.Name = "model"
	config.MaxRetries = oneOf(c, "MaxRetries", 0, 1, 2, -1)
	config.HotKeys.Quiet = oneOf(c, "Quiet", 0, 2*time.Second)
	if config.HotKeys.Quiet > 0 {
		config.HotKeys.MaxWait = oneOf(c, "MaxWait", 0, 2*time.Second, 3*time.Second)
	}
	config.Triggers = oneOf(c, "Triggers", 0, 1, 2)
	config.Timed = oneOf(c, "Timed", true, false)
	config.Order = newOrder(config.order)
	config.RateLimiter = newLimiter(config)
	if config.order == noOrder {
		config.MaxOvertakes = oneOf(c, "MaxOvertakes", 0, 1, 2, 4)
		config.Tenant = oneOf(c, "Tenant", nil, func(key string) string { return key[:1] })
	}
	return config
}

func (c *modelConfig) timed() bool { return c.Timed || c.Triggers > 0 }

func (c *modelConfig) tenant(key string) string {
	if c.Tenant == nil {
		return ""
	}
	return c.Tenant(key)
}

func (c *modelConfig) maxOvertakes() int {
	if c.MaxOvertakes == 0 {
		return queue.DefaultMaxOvertakes
	}
	return c.MaxOvertakes
}

func (c *modelConfig) maxWait() time.Duration {
	if c.HotKeys.MaxWait == 0 {
		return 10 * c.HotKeys.Quiet
	}
	return c.HotKeys.MaxWait
}

// backOff asks how long the key waits that has just failed.
func (c *modelConfig) backOff(r *record) time.Duration {
	if c.limiterCounts {
		r.limited++
		return c.base * time.Duration(r.limited)
	}
	return min(c.base<<min(r.failures-1, 8), c.longest)
}

func newLimiter(config modelConfig) queue.RateLimiter[string] {
	if config.limiterCounts {
		return linear{base: config.base, failures: map[string]int{}}
	}
	return newExponential(config.base, config.longest)
}

// newExponential returns a limiter that is a [queue.Pacer].
func newExponential(base, longest time.Duration) queue.RateLimiter[string] {
	return queue.Exponential[string](queue.ExponentialConfig{Base: cmp.Or(base, -1), Max: longest})
}

// A linear limiter lets the n-th failure in a row wait n times the base. It is no [queue.Pacer].
type linear struct {
	base     time.Duration
	failures map[string]int
}

func (l linear) When(key string) time.Duration {
	l.failures[key]++
	return l.base * time.Duration(l.failures[key])
}

func (l linear) Forget(key string)          { delete(l.failures, key) }
func (l linear) NumRequeues(key string) int { return l.failures[key] }

func newOrder(kind orderKind) queue.Order[string] {
	switch kind {
	case fifo:
		return workqueue.DefaultQueue[string]()
	case touchedFirst:
		return &stack{}
	default:
		return nil
	}
}

// A stack is an order in which a key that is touched comes first.
type stack struct{ keys []string }

func (s *stack) Push(key string)  { s.keys = append(s.keys, key) }
func (s *stack) Touch(key string) { s.keys = append([]string{key}, without(s.keys, key)...) }
func (s *stack) Len() int         { return len(s.keys) }

func (s *stack) Pop() string {
	first := s.keys[0]
	s.keys = s.keys[1:]
	return first
}

// A verdict is an outcome that can be looked into.
type verdict struct {
	kind  verdictKind
	after time.Duration
	err   error
}

type verdictKind string

const (
	success    verdictKind = "success"
	retry      verdictKind = "retry"
	retryAfter verdictKind = "retry after"
	park       verdictKind = "park"
)

func chooseVerdict(c chooser) verdict {
	v := verdict{kind: oneOf(c, "outcome", success, retry, success, retryAfter, park)}
	if v.kind == success || v.kind == retryAfter {
		v.after = chooseDelay(c)
	}
	if v.kind != success {
		v.err = oneOf(c, "error", errors.New("broken"), nil)
	}
	return v
}

func (v verdict) outcome() queue.Outcome {
	switch v.kind {
	case retry:
		return queue.Retry(v.err)
	case retryAfter:
		return queue.RetryAfter(v.after, v.err)
	case park:
		return queue.Park(v.err)
	}
	if v.after != 0 {
		return queue.RequeueAfter(v.after)
	}
	return queue.Success()
}

func (v verdict) String() string { return fmt.Sprintf("%s %v %v", v.kind, v.after, v.err) }

// chooseDelay returns one of few delays, so that several end at the same time; often none.
func chooseDelay(c chooser) time.Duration {
	return time.Duration(oneOf(c, "half seconds", 0, 1, 0, 2, 3, 5, 9, -1)) * time.Second / 2
}

func chooseOptions(c chooser) queue.AddOptions {
	options := queue.AddOptions{
		Priority: oneOf(c, "priority", queue.Normal, queue.Urgent, queue.Background, queue.High, queue.Low, -7, 7),
		Delay:    chooseDelay(c),
		Now:      c.choose("now", 4) == 1,
		Trigger:  queue.Trigger{Source: "test", Cause: oneOf(c, "cause", "created", "updated", "deleted")},
	}
	if c.choose("dated", 4) == 1 {
		options.Trigger.At = time.Unix(5, 0)
	}
	return options
}
