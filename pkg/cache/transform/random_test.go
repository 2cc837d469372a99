package transform_test

import (
	"fmt"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"
)

// randomPod draws a pod of which any field may be set, from so few values that equal parts are frequent.
func randomPod(t *rapid.T, name string) *corev1.Pod {
	pod := new(corev1.Pod)
	random := rapid.Uint64().Draw(t, name)
	(&filler{state: random | 1}).fill(reflect.ValueOf(pod).Elem(), 0)
	return pod
}

// A filler sets fields at random, by a seed: drawing each field would be too much for rapid.
type filler struct{ state uint64 }

// below returns a number from 0 to n-1.
func (f *filler) below(n uint64) int {
	f.state ^= f.state << 13
	f.state ^= f.state >> 7
	f.state ^= f.state << 17
	return int((f.state >> 8) % n)
}

func (f *filler) fill(v reflect.Value, depth int) {
	switch v.Addr().Interface().(type) {
	case *resource.Quantity:
		v.Set(reflect.ValueOf(resource.MustParse([]string{"0", "1", "250m", "1Gi", "0.5", "3Ki"}[f.below(6)])))
		return
	case *metav1.Time:
		v.Set(reflect.ValueOf(metav1.NewTime(time.Unix(int64(f.below(3)), 0))))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString([]string{"", "a", "b", "c"}[f.below(4)])
	case reflect.Bool:
		v.SetBool(f.below(2) == 0)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.below(3)))
	case reflect.Uint8:
		v.SetUint(uint64(f.below(3)))
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				f.fill(v.Field(i), depth)
			}
		}
	default:
		f.fillReference(v, depth)
	}
}

// fillReference sets few of many, and ends where a type is in itself.
func (f *filler) fillReference(v reflect.Value, depth int) {
	if depth > 6 || f.below(4) != 0 {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), depth+1)
	case reflect.Slice:
		n := f.below(3)
		v.Set(reflect.MakeSlice(v.Type(), n, n+f.below(2)*4))
		for i := range n {
			f.fill(v.Index(i), depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := range f.below(3) {
			elem := reflect.New(v.Type().Elem()).Elem()
			f.fill(elem, depth+1)
			v.SetMapIndex(reflect.ValueOf(fmt.Sprint("k", i)).Convert(v.Type().Key()), elem)
		}
	}
}
