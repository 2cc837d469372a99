package client

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Options say where to look for the API server and how to talk to it. The zero value works.
type Options struct {
	// Kubeconfig is the path of a kubeconfig file, usually from the flag --kubeconfig. If set nothing else is looked at.
	Kubeconfig string

	// Context is the context of the kubeconfig to use. Defaults to its current context. It plays no part in a cluster.
	Context string

	// UserAgent names the program to the API server. Defaults to client-go's, made of the program's name.
	UserAgent string

	// QPS and Burst bound the requests per second of each client made from the config. They default to 50 and 100;
	// a negative QPS means no bound.
	QPS   float32
	Burst int
}

// Load returns the configuration of the first of these that is there:
//
//  1. the file of Options.Kubeconfig,
//  2. the service account of the pod that the program runs in,
//  3. the files of the environment variable KUBECONFIG, merged,
//  4. ~/.kube/config.
//
// The error of the one that is there but wrong is returned, not passed over.
func Load(options Options) (*rest.Config, error) {
	config, err := find(options)
	if err != nil {
		return nil, err
	}
	config.UserAgent = options.UserAgent
	config.QPS, config.Burst = options.QPS, options.Burst
	if config.QPS == 0 {
		config.QPS = 50
	}
	if config.Burst == 0 {
		config.Burst = 100
	}
	return config, nil
}

func find(options Options) (*rest.Config, error) {
	if options.Kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if err == nil {
			return config, nil
		}
		if !errors.Is(err, rest.ErrNotInCluster) && !errors.Is(err, fs.ErrNotExist) { // a Pod may have no token
			return nil, fmt.Errorf("read the service account of this pod: %w", err)
		}
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules() // KUBECONFIG, else ~/.kube/config
	rules.ExplicitPath = options.Kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: options.Context}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	config, err := loader.ClientConfig()
	switch {
	case err == nil:
		return config, nil
	case clientcmd.IsEmptyConfig(err) && options.Kubeconfig == "":
		return nil, nothingFound(rules.Precedence)
	case options.Kubeconfig != "":
		return nil, fmt.Errorf("read kubeconfig %q: %w", options.Kubeconfig, err)
	default:
		return nil, fmt.Errorf("read kubeconfig %q: %w", rules.Precedence, err)
	}
}

func nothingFound(files []string) error {
	if os.Getenv(clientcmd.RecommendedConfigPathEnvVar) != "" {
		return fmt.Errorf("KUBECONFIG is set, but there is no API server in any of %q: do these files exist?", files)
	}
	return fmt.Errorf("no API server is configured: set --kubeconfig or KUBECONFIG, or run in a cluster "+
		"(looked at the service account of the Pod and at %q)", files)
}
