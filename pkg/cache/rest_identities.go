package cache

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// An IdentityLister can list what there is without the objects. A [RESTSource] is one.
type IdentityLister interface {
	// ListIdentities reads one page and calls each with the identity of its items, in order, from the calling goroutine.
	// Zero options ask for all there is, at the most recent version. After an error what was handed over counts for nothing.
	ListIdentities(ctx context.Context, opts metav1.ListOptions, each func(Identity)) (PageMeta, error)
}

var errNoIdentity = errors.New("an item of the list can't be read")

// ListIdentities implements [IdentityLister]. It asks for nothing but metadata, in protobuf unless another encoding is
// chosen, and decodes none of it. An object without a name is left out: it can't be cached either.
func (s *RESTSource[T]) ListIdentities(ctx context.Context, opts metav1.ListOptions, each func(Identity)) (PageMeta, error) {
	form := form{s.options.Encoding, "PartialObjectMetadataList"}
	if form.encoding == AutoEncoding {
		form.encoding = ProtobufEncoding
	}
	list, err := s.readList(ctx, form, opts, func(piece piece) error {
		id, named := piece.Identity()
		if id.ResourceVersion == "" {
			return errNoIdentity
		}
		if named {
			each(identityOf(id))
		}
		return nil
	})
	if err == nil {
		err = isList(list)
	}
	return PageMeta{ResourceVersion: list.ResourceVersion, Continue: list.Continue}, err
}
