// Package queuetest tells whether an implementation of an interface of package queue does what the interface promises.
//
// A limiter of your own is tested by
//
//	func TestMyLimiter(t *testing.T) {
//		queuetest.TestRateLimiter(t, func() queue.RateLimiter[string] { return NewMyLimiter[string]() })
//	}
//
// and an order by [TestOrder]. The function must return a new one each time, which shares nothing with those before.
// Each promise is a subtest, named for it. Run them under the race detector.
//
// The checks ask for no more than the interfaces say, which is no more than client-go documents of its own: its
// limiters and its queue conform.
package queuetest
