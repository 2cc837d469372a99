package integration_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"time"
)

// A record is what the API server's audit log says of one request. See audit.k8s.io/v1, Event.
type record struct {
	Stage     string
	Verb      string
	UserAgent string
	User      struct{ Username string }
	ObjectRef struct {
		Namespace, Resource, Name string
	}
	ResponseStatus           struct{ Code int }
	RequestReceivedTimestamp time.Time
	StageTimestamp           time.Time
}

// isWrite says whether a request was to change something, and was carried out.
func (r record) isWrite() bool {
	return slices.Contains([]string{"create", "update", "patch", "delete"}, r.Verb) && r.ResponseStatus.Code < http.StatusBadRequest
}

// audit returns the records of the test's namespace that are wanted, in the order in which they were answered. The API server
// writes them when it has answered, so the last ones may be missing.
func (w world) audit(wanted func(record) bool) []record {
	w.t.Helper()
	file, err := os.Open(w.plane.AuditLog())
	w.must(err)
	defer file.Close()
	_, err = file.Seek(w.logged, io.SeekStart)
	w.must(err)
	var records []record
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil { // the last one may be incomplete
			return records
		}
		if !bytes.Contains(line, []byte(w.namespace)) {
			continue
		}
		var r record
		w.must(json.Unmarshal(line, &r))
		if r.Stage == "ResponseComplete" && r.ObjectRef.Namespace == w.namespace && wanted(r) {
			records = append(records, r)
		}
	}
}

// writesOf wants the writes of a user agent to a resource.
func writesOf(userAgent, resource string) func(record) bool {
	return func(r record) bool {
		return r.UserAgent == userAgent && r.ObjectRef.Resource == resource && r.isWrite()
	}
}
