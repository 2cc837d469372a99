package cache

// A token wakes one goroutine, which receives it; several signals before that are one.
type token chan struct{}

func newToken() token { return make(token, 1) }

// signal makes sure that the token is there. It does not wait.
func (t token) signal() {
	select {
	case t <- struct{}{}:
	default:
	}
}

// isClosed says whether a channel that is never sent to is closed.
func isClosed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}
