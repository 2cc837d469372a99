package protocol

// An Incident is something wrong that does not end the request.
type Incident struct {
	ID       string
	Meaning  string
	Reaction string
}

// Incidents returns what a request survives.
func Incidents() []Incident {
	return []Incident{
		{"undecodable", "an object can't be decoded, or is too large", "quarantined under its key; the version before stays; tried again at the next version"},
		{"undecodable-deletion", "the deletion of an object that can't be decoded", "deleted, with the cached state as the last known one"},
		{"unknown-event", "an event of unknown type", "skipped, counted"},
		{"wrong-kind", "an object of another kind", "quarantined under its key; the version before stays"},
		{"table", "what has no key: a Table", "skipped, counted"},
		{"nameless", "an object without a name", "skipped, counted"},
		{"no-version", "a bookmark without a resource version", "skipped, counted"},
		{"older-event", "an event that is older than the cached object", "refused, counted"},
	}
}
