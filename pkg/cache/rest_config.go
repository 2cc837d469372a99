package cache

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	"k8s.io/client-go/rest"
)

// ConfigFor returns a copy of config for a client that is to be read from with [FromREST]:
//
//	client, err := rest.RESTClientFor(cache.ConfigFor(config, schema.GroupVersion{Group: "stable.example.com", Version: "v1"}))
//
// Such a client knows no type of object, only how servers say in any [Encoding] what is wrong. Clients of one config share
// their connections.
func ConfigFor(config *rest.Config, version schema.GroupVersion) *rest.Config {
	config = rest.CopyConfig(config)
	config.GroupVersion = &version
	config.APIPath = "/apis"
	if version.Group == "" {
		config.APIPath = "/api"
	}
	if config.UserAgent == "" {
		config.UserAgent = rest.DefaultKubernetesUserAgent()
	}
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme, serializer.WithSerializer(cbor.NewSerializerInfo)).WithoutConversion()
	return config
}
