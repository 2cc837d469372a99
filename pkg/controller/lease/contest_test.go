package lease

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"
)

// tick is how far true time goes between two looks at the contest.
const tick = 100 * time.Millisecond

// tight leaves little room between the holder's time and the others', so that a mistake of a second shows.
var tight = Config{Name: "it", Duration: 15 * time.Second, RenewDeadline: 13 * time.Second, RetryPeriod: 2 * time.Second}

// Whatever happens to processes, clocks and network, at no moment may two write; and when it is over somebody leads again.
func TestNoTwoLeadersEver(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		script := rapid.SliceOfN(rapid.Custom(drawIncident), 5, 60).Draw(rt, "script")
		var wrong string
		synctest.Test(t, func(t *testing.T) { wrong = contest(t, script) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// An incident happens to a host; then time passes.
type incident struct {
	host int
	kind string
	size time.Duration
	wait time.Duration
}

var kinds = []string{"slow there", "slow back", "cut", "deaf", "set back", "set", "set far", "stop", "suspend", "mend"}

func drawIncident(t *rapid.T) incident {
	return incident{
		host: rapid.IntRange(0, hosts-1).Draw(t, "host"),
		kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
		size: time.Duration(rapid.IntRange(0, 7000).Draw(t, "size")) * time.Millisecond,
		wait: time.Duration(rapid.IntRange(0, 20).Draw(t, "wait")) * time.Second,
	}
}

const hosts = 3

// A match is some machines that contend, a server, and true time.
type match struct {
	t        *testing.T
	server   *server
	machines []*host
	wrong    string
}

// contest returns what went wrong.
func contest(t *testing.T, script []incident) string {
	t.Helper()
	m := &match{t: t, server: &server{}}
	for n := range hosts {
		h := &host{name: fmt.Sprint("host", n), clock: clocktesting.NewFakeClock(time.Now()), rate: 1 + 0.05*float64(n-1)}
		m.machines = append(m.machines, h)
		h.boot(m)
	}
	defer m.end()
	for _, i := range script {
		m.machines[i.host].meet(i)
		m.pass(max(i.wait, glance+tick)) // a clock that is put back before anybody sees that it has gone on hides a sleep
	}
	for _, h := range m.machines {
		h.mend()
	}
	m.pass(2 * time.Minute)
	if m.wrong == "" && m.writers() != 1 {
		return fmt.Sprintf("%d may write when all is well again", m.writers())
	}
	return m.wrong
}

// pass lets true time go by, and looks at the fences again and again.
func (m *match) pass(d time.Duration) {
	for ; d > 0; d -= tick {
		time.Sleep(tick)
		for _, h := range m.machines {
			h.tick()
			synctest.Wait() // one after the other, so that a script always does the same
			h.reboot(m)
		}
		if n := m.writers(); n > 1 && m.wrong == "" {
			m.wrong = fmt.Sprintf("%d may write after %v", n, time.Since(m.machines[0].booted))
		}
	}
}

// writers counts the machines that can act and may.
func (m *match) writers() (n int) {
	for _, h := range m.machines {
		if !h.asleep() && h.elector.Fence().Allowed() == nil {
			n++
		}
	}
	return n
}

func (m *match) end() {
	for _, h := range m.machines {
		h.mend()
		h.end()
	}
	for _, h := range m.machines {
		<-h.ended
	}
}

// A host is a machine with clocks and a network of its own, on which a process runs that is started again when it ends.
type host struct {
	name    string
	clock   *clocktesting.FakeClock // monotonic, as fast as rate says
	rate    float64
	booted  time.Time
	elector *Elector
	stop    func()
	drain   chan struct{}
	ended   chan struct{}

	mu     sync.Mutex
	offset time.Duration // of the wall clock
	wake   chan struct{} // closed at the end of a sleep; nil while awake
	before time.Duration // what a request takes
	after  time.Duration // what an answer takes
	cut    bool          // requests fail
	deaf   bool          // requests are carried out, answers are lost
}

func (h *host) boot(m *match) {
	config := tight
	config.Client, config.Clock, config.Identity = remote{h, m.server}, h.clock, fmt.Sprint(h.name, time.Now().UnixNano())
	e, err := New(config)
	if err != nil {
		m.t.Fatal(err)
	}
	e.now, e.random = h.now, func(n time.Duration) time.Duration { return n / 2 }
	e.fence.now = h.now
	ctx, stop := context.WithCancel(m.t.Context())
	h.elector, h.stop, h.drain, h.ended, h.booted = e, stop, make(chan struct{}, 1), make(chan struct{}), time.Now()
	drain, ended := h.drain, h.ended
	go func() {
		defer close(ended)
		_ = e.Run(ctx, func(ctx context.Context) error {
			<-ctx.Done()
			if !errors.Is(context.Cause(ctx), ErrLost) {
				<-drain
			}
			return nil
		})
	}()
}

// end stops the process, as SIGTERM does. It needs no time to drain then.
func (h *host) end() {
	h.stop()
	select {
	case h.drain <- struct{}{}:
	default: // it was stopped before
	}
}

// reboot starts the process again if it has ended.
func (h *host) reboot(m *match) {
	select {
	case <-h.ended:
		h.boot(m)
	default:
	}
}

func (h *host) now() instant {
	h.mu.Lock()
	defer h.mu.Unlock()
	return instant{steady: h.clock.Since(time.Unix(0, 0)), wall: h.clock.Now().Add(h.offset)}
}

func (h *host) tick() {
	h.mu.Lock()
	sleeping := h.wake != nil
	if sleeping {
		h.offset += tick
	}
	h.mu.Unlock()
	if !sleeping {
		h.clock.Step(time.Duration(float64(tick) * h.rate))
	}
}

func (h *host) asleep() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.wake != nil
}

// meet makes an incident happen.
func (h *host) meet(i incident) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wake != nil && i.kind != "mend" {
		return // nobody sets a clock that sleeps
	}
	switch i.kind {
	case "slow there":
		h.before = i.size
	case "slow back":
		h.after = i.size
	case "cut":
		h.cut = !h.cut
	case "deaf":
		h.deaf = !h.deaf
	case "set back":
		h.offset -= 100 * i.size
	case "set":
		h.offset += i.size
	case "set far":
		h.offset += 1000 * i.size
	case "stop":
		h.end()
	case "suspend":
		h.sleepLocked()
	case "mend":
		h.mendLocked()
	}
}

func (h *host) sleepLocked() {
	if h.wake == nil {
		h.wake = make(chan struct{})
	}
}

func (h *host) mend() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mendLocked()
}

func (h *host) mendLocked() {
	h.before, h.after, h.cut, h.deaf = 0, 0, false, false
	if h.wake != nil {
		close(h.wake)
		h.wake = nil
	}
}

// awake waits for the end of a sleep: nothing happens on a machine meanwhile.
func (h *host) awake() {
	h.mu.Lock()
	wake := h.wake
	h.mu.Unlock()
	if wake != nil {
		<-wake
	}
}

// A remote is the server as a host sees it.
type remote struct {
	host   *host
	server *server
}

func (r remote) Get(ctx context.Context, name string, options metav1.GetOptions) (*coordinationv1.Lease, error) {
	return r.call(ctx, func() (*coordinationv1.Lease, error) { return r.server.Get(context.Background(), name, options) })
}

func (r remote) Create(ctx context.Context, l *coordinationv1.Lease, o metav1.CreateOptions) (*coordinationv1.Lease, error) {
	return r.call(ctx, func() (*coordinationv1.Lease, error) { return r.server.Create(context.Background(), l, o) })
}

func (r remote) Update(ctx context.Context, l *coordinationv1.Lease, o metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	return r.call(ctx, func() (*coordinationv1.Lease, error) { return r.server.Update(context.Background(), l, o) })
}

var errNetwork = errors.New("network")

// call carries a request out at some time, whether or not somebody still waits for the answer.
func (r remote) call(ctx context.Context, what func() (*coordinationv1.Lease, error)) (*coordinationv1.Lease, error) {
	type reply struct {
		lease *coordinationv1.Lease
		err   error
	}
	h := r.host
	h.awake()
	defer h.awake()
	h.mu.Lock()
	before, after, cut, deaf := h.before, h.after, h.cut, h.deaf
	h.mu.Unlock()
	if cut {
		return nil, errNetwork
	}
	answered := make(chan reply, 1)
	go func() {
		time.Sleep(before)
		lease, err := what()
		time.Sleep(after)
		if deaf {
			lease, err = nil, errNetwork
		}
		answered <- reply{lease, err}
	}()
	select {
	case got := <-answered:
		return got.lease, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
