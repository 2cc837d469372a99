package cache

import (
	"fmt"
	"regexp"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/store"
)

// What stamps tell is what the objects themselves would, of any versions and UIDs.
func TestStampsCompareAsObjectsDo(t *testing.T) {
	var objects []*metav1.PartialObjectMetadata
	for _, version := range []string{
		"", "0", "1", "9", "10", "010", "999999999999999999", "1000000000000000000", "18446744073709551616", "-1", "1a", "ä",
	} {
		for _, uid := range []types.UID{
			"", "a", "a\x00", "\x00", "uid-1", "123456789012345", "1234567890123456",
			"01234567-89ab-cdef-0123-456789abcdef", "01234567-89ab-cdef-0123-456789abcdee",
			"11234567-89ab-cdef-0123-456789abcdef", "01234567-89AB-cdef-0123-456789abcdef",
			"01234567+89ab-cdef-0123-456789abcdef", "0123456g-89ab-cdef-0123-456789abcdef", "g1234567-89ab-cdef-0123-456789abcdef", "{1234567-89ab-cdef-0123-456789abcdef",
			"00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-0000000000000",
		} {
			objects = append(objects, objectOf(version, uid))
		}
	}
	for _, a := range objects {
		for _, b := range objects {
			wantCompared(t, a, b)
		}
	}
}

func wantCompared(t rapid.TB, a, b *metav1.PartialObjectMetadata) {
	t.Helper()
	got := compare(a, stampOf(a), b, stampOf(b))
	if want := compare(a, store.Stamp{}, b, store.Stamp{}); got != want {
		t.Errorf("version %q and UID %q beside %q and %q: %+v, want %+v",
			a.ResourceVersion, a.UID, b.ResourceVersion, b.UID, got, want)
	}
}

func objectOf(version string, uid types.UID) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{ResourceVersion: version, UID: uid}}
}

// Objects as an API server makes them have stamps: updates do not wait for the memory of what they replace.
func TestStampsAreOfObjectsOfServers(t *testing.T) {
	object := objectOf("123456789012345678", "01234567-89ab-cdef-fedc-ba9876543210")
	want := store.Stamp{Version: 2 * 123456789012345678, High: 0x0123456789abcdef, Low: 0xfedcba9876543210}
	if got := stampOf(object); got != want {
		t.Errorf("the stamp is %x, want %x", got, want)
	}
}

// A UID is parsed exactly when it is what its bits are printed as.
func TestUUIDsAgainstTheirForm(t *testing.T) {
	uuid := regexp.MustCompile("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
	rapid.Check(t, func(t *rapid.T) {
		high, low := rapid.Uint64().Draw(t, "high"), rapid.Uint64().Draw(t, "low")
		uid := []byte(printed(high, low))
		if gotHigh, gotLow, ok := parseUUID(types.UID(uid)); !ok || gotHigh != high || gotLow != low {
			t.Errorf("%s is %x, %x, %t", uid, gotHigh, gotLow, ok)
		}
		uid[rapid.IntRange(0, len(uid)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		if high, low, ok := parseUUID(types.UID(uid)); ok != uuid.Match(uid) || ok && printed(high, low) != string(uid) {
			t.Errorf("%q is %x, %x, %t", uid, high, low, ok)
		}
	})
}

func printed(high, low uint64) string {
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", high>>32, high>>16&0xffff, high&0xffff, low>>48, low&0xffffffffffff)
}
