package events

import (
	"cmp"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// An Event is what happened to an object.
type Event struct {
	// Regarding is the object: one from a cache or a client, or a *corev1.ObjectReference, for instance of [Reference].
	// Required.
	Regarding runtime.Object

	// Related is another object that plays a part, or nil.
	Related runtime.Object

	// Type is corev1.EventTypeNormal or corev1.EventTypeWarning. Defaults to the first.
	Type string

	// Reason is why it happened, one word that programs understand, like "ScheduleInvalid". Required; cut to 128 bytes.
	Reason string

	// Action is what the controller did or tried, one word that programs understand, like "CreateJob". Defaults to the
	// reason; cut to 128 bytes.
	Action string

	// Note says it to people. It is cut to 1024 bytes. Numbers and times in a note make events different that should be
	// equal.
	Note string
}

// The limits of the API server, in bytes; see pkg/apis/core/validation/events.go of k8s.io/kubernetes.
const (
	maxName = 128 // reason, action, reportingInstance
	maxNote = 1024
)

// A happening is an Event that is ready to be correlated.
type happening struct {
	topic

	object       corev1.ObjectReference
	relatedTo    *corev1.ObjectReference
	combinedNote string // if combined: the first of the notes, marked
}

// A topic is what equal events have in common.
type topic struct {
	similarity

	note     string
	combined bool // for all notes that are too many; note is empty then
}

// similarity is what similar events have in common.
type similarity struct {
	regarding, related   identity
	kind, reason, action string
}

// An identity is an object reference without the resource version, which says nothing about who it is.
type identity struct {
	apiVersion, kind, namespace, name, fieldPath string
	uid                                          types.UID
}

func identityOf(ref *corev1.ObjectReference) identity {
	if ref == nil {
		return identity{}
	}
	return identity{ref.APIVersion, ref.Kind, ref.Namespace, ref.Name, ref.FieldPath, ref.UID}
}

// happen makes an event ready. It returns false if the API server would refuse it for what it says.
func (e Event) happen(kinds kinds) (happening, bool) {
	regarding := kinds.reference(e.Regarding)
	if regarding == nil || e.Reason == "" {
		return happening{}, false
	}
	e.Type = cmp.Or(e.Type, corev1.EventTypeNormal)
	if e.Type != corev1.EventTypeNormal && e.Type != corev1.EventTypeWarning {
		return happening{}, false
	}
	e.Action = cmp.Or(e.Action, e.Reason)
	related := kinds.reference(e.Related)
	reason, action := truncate(e.Reason, maxName), truncate(e.Action, maxName)
	return happening{
		topic: topic{
			similarity: similarity{identityOf(regarding), identityOf(related), e.Type, reason, action},
			note:       truncate(e.Note, maxNote),
		},
		object:    *regarding,
		relatedTo: related,
	}, true
}

// truncate returns at most limit bytes of valid UTF-8, the end marked if something was cut.
func truncate(text string, limit int) string {
	const mark = "..."
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= limit {
		return text
	}
	end := limit - len(mark)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + mark
}
