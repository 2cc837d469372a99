package client_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"

	"github.com/sluice-k8s/sluice/pkg/controller/client"
)

// warner warns of the path of each request.
func warner(t *testing.T) *server {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, request *http.Request) {
		w.Header().Add("Warning", fmt.Sprintf(`299 - "%s is deprecated"`, request.URL.Path))
		w.Header().Add("Warning", `214 - "of another code"`)
	})
}

func TestWarningsAreLoggedOnceAndCounted(t *testing.T) {
	clients := warner(t).dial(t, client.Options{})
	var log strings.Builder
	ctx := klog.NewContext(t.Context(), textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&log))))
	for _, path := range []string{"/old", "/older", "/older", "/older"} {
		if err := clients.Typed.CoreV1().RESTClient().Get().AbsPath(path).Do(ctx).Error(); err != nil {
			t.Fatal(err)
		}
	}
	got := fmt.Sprint(clients.Warnings())
	if want := "{4 [{/older is deprecated 3} {/old is deprecated 1}]}"; got != want {
		t.Errorf("the status is %s, want %s", got, want)
	}
	if n := strings.Count(log.String(), "deprecated"); n != 2 {
		t.Errorf("%d warnings are logged, want 2: %s", n, log.String())
	}
}

func TestWarningsAreBounded(t *testing.T) {
	var warnings client.Warnings
	var log strings.Builder
	ctx := klog.NewContext(t.Context(), textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&log))))
	for n := range 1000 {
		warnings.HandleWarningHeaderWithContext(ctx, 299, "-", fmt.Sprint("warning ", n))
	}
	status := warnings.Status()
	if logged := strings.Count(log.String(), "\n"); status.Total != 1000 || len(status.Texts) != 100 || logged != 100 {
		t.Errorf("of %d warnings %d are kept and %d logged, want 1000, 100, 100", status.Total, len(status.Texts), logged)
	}
}

func TestWarningHandlerOfTheConfigStays(t *testing.T) {
	config := warner(t).config()
	config.WarningHandlerWithContext = rest.NoWarnings{}
	clients := dial(t, config)
	if err := clients.Typed.CoreV1().RESTClient().Get().AbsPath("/old").Do(t.Context()).Error(); err != nil {
		t.Fatal(err)
	}
	if status := clients.Warnings(); status.Total != 0 {
		t.Errorf("the status is %+v, want nothing", status)
	}
}
