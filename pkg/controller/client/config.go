package client

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Load returns the configuration of the first of these that is there:
//
//  1. the file of Options.Kubeconfig,
//  2. the service account of the pod that the program runs in,
//  3. the files of the environment variable KUBECONFIG, merged,
//  4. ~/.kube/config.
//
// The error of the one that is there but wrong is returned, not passed over. Merging takes the first file that says
// something: so does the current context.
func Load(options Options) (*rest.Config, error) {
	config, err := find(options, rest.InClusterConfig)
	if err != nil {
		return nil, err
	}
	if err := options.Apply(config); err != nil {
		return nil, err
	}
	return config, nil
}

func find(options Options, inCluster func() (*rest.Config, error)) (*rest.Config, error) {
	if options.Kubeconfig == "" {
		config, err := inCluster()
		if err == nil {
			return config, nil
		}
		if !errors.Is(err, rest.ErrNotInCluster) && !errors.Is(err, fs.ErrNotExist) { // a Pod may have no token
			return nil, fmt.Errorf("read the service account of this pod: %w", err)
		}
	}
	return fromFiles(options)
}

func fromFiles(options Options) (*rest.Config, error) {
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
