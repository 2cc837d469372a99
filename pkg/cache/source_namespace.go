package cache

// Namespace returns the namespace that the source reads, empty for all.
func (s *RESTSource[T]) Namespace() string { return s.options.Namespace }

// Namespace returns the namespace that the client reads, as far as it tells: empty for all. Fake clients call it so.
func (c listerWatcher[T, L]) Namespace() string {
	switch client := any(c.client).(type) {
	case interface{ GetNamespace() string }:
		return client.GetNamespace()
	case interface{ Namespace() string }:
		return client.Namespace()
	}
	return ""
}
