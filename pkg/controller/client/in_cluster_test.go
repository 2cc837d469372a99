package client

import (
	"fmt"
	"io/fs"
	"testing"

	"k8s.io/client-go/rest"
)

// In a Pod the service account comes before the files, but not before the flag. A token that can't be read is an error; one
// that is not there is none.
func TestInCluster(t *testing.T) {
	t.Setenv("KUBECONFIG", "testdata/kubeconfig")
	pod := &rest.Config{Host: "https://10.0.0.1"}
	tests := map[string]struct {
		options Options
		err     error
		want    string
	}{
		"service account": {Options{}, nil, "https://10.0.0.1"},
		"flag before it":  {Options{Kubeconfig: "testdata/kubeconfig"}, nil, "https://api.example.com"},
		"not in a Pod":    {Options{}, rest.ErrNotInCluster, "https://api.example.com"},
		"no token":        {Options{}, fs.ErrNotExist, "https://api.example.com"},
		"bad token":       {Options{}, fs.ErrPermission, "read the service account of this pod: permission denied"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			config, err := find(test.options, func() (*rest.Config, error) {
				if test.err != nil {
					return nil, test.err
				}
				return pod, nil
			})
			got := fmt.Sprint(err)
			if err == nil {
				got = config.Host
			}
			if got != test.want {
				t.Errorf("found %s, want %s", got, test.want)
			}
		})
	}
}
