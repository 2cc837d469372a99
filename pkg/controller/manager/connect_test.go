package manager

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/pkg/controller/client"
	"github.com/sluice-k8s/sluice/pkg/controller/lease"
)

// A program has clients from its flags. Those of one that contends for a lease read, but don't write before it leads; those of one
// that does not, do.
func TestConnect(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked[r.Method]++
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x"}}`))
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "config")
	content := "{apiVersion: v1, kind: Config, current-context: it, contexts: [{name: it, context: {cluster: it}}], clusters: [{name: it, cluster: {server: '" + server.URL + "'}}]}"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, elect := range []bool{false, true} {
		o := &Options{LeaderElect: elect, LeaseName: "x", LeaseNamespace: "y"}
		clients, elector, err := o.Connect(client.Options{Kubeconfig: file})
		if err != nil || (elector != nil) != elect {
			t.Fatalf("elect %v: elector %v, %v", elect, elector, err)
		}
		configMaps := clients.Typed.CoreV1().ConfigMaps("default")
		if _, err := configMaps.Get(t.Context(), "x", metav1.GetOptions{}); err != nil {
			t.Errorf("elect %v: read: %v", elect, err)
		}
		_, err = configMaps.Create(t.Context(), &corev1.ConfigMap{}, metav1.CreateOptions{})
		if refused := elect && errors.Is(err, lease.ErrNotLeader); err != nil && !refused || elect && !refused {
			t.Errorf("elect %v: write: %v", elect, err)
		}
		clients.CloseIdle()
	}
	mu.Lock()
	defer mu.Unlock()
	if asked[http.MethodGet] != 2 || asked[http.MethodPost] != 1 {
		t.Errorf("requests %v, want two reads and one write", asked)
	}
	if _, _, err := (&Options{}).Connect(client.Options{Kubeconfig: file + "-missing"}); err == nil {
		t.Error("connected to what is not there")
	}
}
