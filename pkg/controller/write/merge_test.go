package write_test

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

// mergePatch is the pseudo code of RFC 7386, section 2.
func mergePatch(target, patch any) any {
	fields, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	merged, ok := target.(map[string]any)
	if !ok {
		merged = map[string]any{}
	}
	merged = maps.Clone(merged)
	for name, value := range fields {
		if value == nil {
			delete(merged, name)
		} else {
			merged[name] = mergePatch(merged[name], value)
		}
	}
	return merged
}

// withoutNulls leaves out what a merge patch cannot say: fields that are null, but for those in lists.
func withoutNulls(value any) any {
	fields, ok := value.(map[string]any)
	if !ok {
		return value
	}
	left := map[string]any{}
	for name, value := range fields {
		if value != nil {
			left[name] = withoutNulls(value)
		}
	}
	return left
}

// values draws JSON with nulls, few names, so that they meet, and numbers that floats do not hold.
func values(depth int) *rapid.Generator[any] {
	leaves := rapid.SampledFrom([]any{nil, true, "", "text", json.Number("1"), json.Number("1.5"), json.Number("9007199254740993")})
	if depth == 0 {
		return leaves
	}
	return rapid.OneOf(leaves, rapid.Map(fields(depth-1), func(m map[string]any) any { return m }),
		rapid.Map(rapid.SliceOfN(values(depth-1), 0, 3), func(s []any) any { return s }))
}

func fields(depth int) *rapid.Generator[map[string]any] {
	return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), values(depth), 0, 4)
}

// TestMergeMakesOneObjectOfAnother: what is sent, applied as the RFC says, gives the wanted object; and nothing is sent if
// there is nothing to change.
func TestMergeMakesOneObjectOfAnother(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := custom(fields(3).Draw(t, "before")), custom(fields(3).Draw(t, "after"))
		if rapid.Bool().Draw(t, "same") {
			after = before.DeepCopy()
		}
		var client patches
		w := write.NewClusterScoped[*unstructured.Unstructured](&client, nil, write.Config{})
		if _, _, err := w.Patch(t.Context(), before, write.Merge(before, after)); err != nil {
			t.Fatal(err)
		}
		was, wanted := withoutNulls(decode(t, before)), withoutNulls(decode(t, after))
		if same := reflect.DeepEqual(was, wanted); same != (client.sent == nil) {
			t.Fatalf("equal is %v, sent is %s", same, client.sent)
		}
		if client.sent == nil {
			return
		}
		got := mergePatch(decode(t, before), decode(t, json.RawMessage(client.sent)))
		if !reflect.DeepEqual(withoutNulls(got), wanted) {
			t.Fatalf("the patch %s makes %v, want %v", client.sent, got, wanted)
		}
	})
}

func custom(fields map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "example.com/v1", "kind": "Custom", "metadata": map[string]any{"name": "a"}, "spec": plain(fields),
	}}
}

// plain makes the numbers what an Unstructured may hold.
func plain(value any) any {
	switch value := value.(type) {
	case map[string]any:
		made := map[string]any{}
		for name, field := range value {
			made[name] = plain(field)
		}
		return made
	case []any:
		made := make([]any, len(value))
		for n, item := range value {
			made[n] = plain(item)
		}
		return made
	case json.Number:
		if whole, err := value.Int64(); err == nil {
			return whole
		}
		fraction, _ := value.Float64()
		return fraction
	}
	return value
}

func decode(t *rapid.T, value any) any {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var decoded any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

// patches is a client that shows what is sent to it.
type patches struct {
	write.Client[*unstructured.Unstructured]

	sent []byte
}

func (p *patches) Patch(
	_ context.Context, _ string, _ types.PatchType, data []byte, _ metav1.PatchOptions, _ ...string,
) (*unstructured.Unstructured, error) {
	p.sent = data
	return &unstructured.Unstructured{Object: map[string]any{}}, nil
}

func TestPathEscapes(t *testing.T) {
	if got := write.Path("metadata", "annotations", "example.com/a~b"); got != "/metadata/annotations/example.com~1a~0b" {
		t.Errorf("the path is %q", got)
	}
}
