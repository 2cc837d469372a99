package wire_test

import (
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/wire"
)

// Lists that an API server doesn't send, but might.
func TestUnusualLists(t *testing.T) {
	one := []string{`{"metadata":{"name":"a"}}`}
	tests := map[string]struct {
		body  string
		meta  wire.ListMeta
		items []string
	}{
		"items first":       {`{"items":[{"metadata":{"name":"a"}}],"kind":"PodList","metadata":{"resourceVersion":"3"}}`, wire.ListMeta{Kind: "PodList", ResourceVersion: "3"}, one},
		"escaped keys":      {`{"\u0069tems":[{"metadata":{"name":"a"}}],"kin\u0064":"P\u006fd"}`, wire.ListMeta{Kind: "Pod"}, one},
		"white space":       {" \n{\t\"items\" :\r\n[ {\"metadata\":{\"name\":\"a\"}} ] , \"kind\" : \"Pod\" } \n", wire.ListMeta{Kind: "Pod"}, one},
		"null items":        {`{"items":null,"metadata":null,"kind":null}`, wire.ListMeta{}, nil},
		"no items":          {`{"kind":"Status","status":"Failure","code":410}`, wire.ListMeta{Kind: "Status"}, nil},
		"items twice":       {`{"items":[],"items":[{"metadata":{"name":"a"}}]}`, wire.ListMeta{}, one},
		"CBOR, open":        {"\xbf\x65items\x9f\xa0\xff\x64kind\x5f\x43Pod\x44List\xff\x01\x02\xff", wire.ListMeta{Kind: "PodList"}, []string{"\xa0"}},
		"CBOR, byte string": {"\xd9\xd9\xf7\xa2\x45items\x81\xd9\xd9\xf7\xa0\x48metadata\xa1\x4fresourceVersion\x413", wire.ListMeta{ResourceVersion: "3"}, []string{"\xd9\xd9\xf7\xa0"}},
		"CBOR, null":        {"\xa3\x65items\xf6\x64kind\xf6\x68metadata\xf6", wire.ListMeta{}, nil},
		"protobuf, unknown": {"k8s\x00\x12\x0b\x12\x02\x0a\x00\x18\x01\x22\x01x\x12\x00\x28\x01\x0a\x05\x12\x03Pod", wire.ListMeta{Kind: "Pod"}, []string{"\x0a\x00", ""}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := wire.NewListReader(strings.NewReader(test.body), wire.Limits{})
			var items []string
			for _, frame := range must(collect(r.Next)) {
				items = append(items, string(frame.Bytes))
			}
			if r.Meta() != test.meta || !reflect.DeepEqual(items, test.items) {
				t.Errorf("got %q of %+v", items, r.Meta())
			}
		})
	}
}

// Managed fields that come more than once, which no server sends, are cut out as often.
func TestManagedFieldsTwice(t *testing.T) {
	for before, after := range map[string]string{
		`{"metadata":{"managedFields":[],"managedFields":[],"name":"a"}}`:                     `{"metadata":{"name":"a"}}`,
		`{"metadata":{"managedFields":[] , "managedFields":[] }}`:                             `{"metadata":{ }}`,
		`{"metadata":{"managedFields":[],"name":"a","managedFields":[],"managedFields":[1]}}`: `{"metadata":{"name":"a"}}`,
	} {
		frame := wire.Frame{Encoding: wire.JSON, Bytes: []byte(before)}.WithoutManagedFields()
		if string(frame.Bytes) != after {
			t.Errorf("%s becomes %s, want %s", before, frame.Bytes, after)
		}
	}
}

// Events as a server might order and extend them.
func TestUnusualEvents(t *testing.T) {
	tests := map[string]struct {
		body, kind, object string
	}{
		"type last":        {`{"object":{"a":"}"},"type":"NEW"}`, "NEW", `{"a":"}"}`},
		"more keys":        {` {"x":[{}],"type":"ADDED" , "object" : {} ,"y":"{"}`, "ADDED", `{}`},
		"no object":        {`{"type":"BOOKMARK"}`, "BOOKMARK", ""},
		"CBOR, type last":  {"\xbf\x66object\xd9\xd9\xf7\xa0\x01\x02\x64type\x43NEW\xff", "NEW", "\xd9\xd9\xf7\xa0"},
		"protobuf, no raw": {"\x00\x00\x00\x0c\x0a\x03NEW\x12\x00\x18\x01\x22\x01x", "NEW", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			all := must(collect(wire.NewWatchReader(strings.NewReader(test.body+test.body), wire.Limits{}).Next))
			if len(all) != 2 || all[1].Type != test.kind || string(all[1].Bytes) != test.object {
				t.Errorf("got %+v", all)
			}
			if err := all[0].Decode(&corev1.Pod{}); (err != nil) != (test.object == "") {
				t.Errorf("decoded with %v", err)
			}
		})
	}
}
