package fleet

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	// Namespaces is how many the objects of a kind are spread over.
	Namespaces = 20
	// Workloads is how many there are; the pods of one resemble each other.
	Workloads = 200
	// AppLabel has the name of the workload.
	AppLabel = "app.kubernetes.io/name"

	prefix = "object-"
)

// Namespace returns the namespace of an object.
func Namespace(number int) string { return fmt.Sprintf("bench-%02d", number%Namespaces) }

// Name returns the name of an object, of whatever kind.
func Name(number int) string { return prefix + strconv.Itoa(number) }

// App returns the workload of an object.
func App(number int) string { return fmt.Sprintf("app-%03d", number%Workloads) }

// Number returns the number of the object with the name.
func Number(name string) (int, error) {
	digits, ok := strings.CutPrefix(name, prefix)
	number, err := strconv.Atoi(digits)
	if !ok || err != nil {
		return 0, fmt.Errorf("%q is no name of an object that was put there", name)
	}
	return number, nil
}
