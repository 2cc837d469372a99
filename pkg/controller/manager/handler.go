package manager

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"k8s.io/klog/v2"
)

// Handler returns the health pages, in the form of those of Kubernetes' components:
//
//	/livez, /healthz   200 unless the program is stuck, see [Manager.Live]
//	/readyz            200 while it is of use, see [Manager.Ready]
//
// Else they answer 500 with one line for each check. With the parameter verbose they always have these lines. The reasons, in which
// names of objects may stand, are only for who asks from the same machine, as kubectl port-forward does, by a name of it and not
// through a proxy; others read "reason withheld". All reasons are logged when they change. The pages have no effect.
func (m *Manager) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/livez", m.page("livez", m.liveness))
	mux.Handle("/healthz", m.page("healthz", m.liveness))
	mux.Handle("/readyz", m.page("readyz", m.readiness))
	return harden(mux)
}

func (m *Manager) page(name string, checks func() []check) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.assess(klog.FromContext(r.Context()))
		text, ok := render(name, checks(), r.URL.Query().Has("verbose"), isLocal(r))
		if !ok {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = w.Write(text) // whoever asked has gone
	})
}

// render writes a page, and says whether all is well.
func render(name string, checks []check, verbose, reasons bool) (text []byte, ok bool) {
	var page bytes.Buffer
	ok = true
	for _, c := range checks {
		switch {
		case c.err == nil:
			fmt.Fprintf(&page, "[+]%s ok\n", c.name)
		case reasons:
			fmt.Fprintf(&page, "[-]%s failed: %q\n", c.name, c.err)
		default:
			fmt.Fprintf(&page, "[-]%s failed: reason withheld\n", c.name)
		}
		ok = ok && c.err == nil
	}
	switch {
	case !ok:
		fmt.Fprintf(&page, "%s check failed\n", name)
	case verbose:
		fmt.Fprintf(&page, "%s check passed\n", name)
	default:
		return []byte("ok"), true
	}
	return page.Bytes(), ok
}

// isLocal says whether a request comes from this machine, by a name that no web page elsewhere has (DNS rebinding), and not
// through a proxy that works for others.
func isLocal(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return false
	}
	return isLoopbackName(r.Host) && !isForwarded(r.Header)
}

// isForwarded says whether some proxy says that it is one.
func isForwarded(header http.Header) bool {
	for name := range header {
		if name == "Forwarded" || name == "Via" || strings.HasPrefix(name, "X-Forwarded-") {
			return true
		}
	}
	return false
}

func isLoopbackName(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		host = hostPort
	}
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// harden lets only reads through, and says what must not be done with the answer.
func harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Type", "text/plain; charset=utf-8")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			header.Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}
