package cache

import (
	"sync"
	"time"
)

// A Server remembers what the informers of one API server have learned about it. The zero value knows nothing. Its use is
// to be shared, by [Config]; it may be used concurrently.
type Server struct {
	mu          sync.Mutex
	noWatchList time.Time // until then
}

// memory is how long it is remembered what a server does not know: servers are upgraded.
const memory = time.Hour

func (s *Server) mayWatchList(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !now.Before(s.noWatchList)
}

func (s *Server) forgoWatchList(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noWatchList = now.Add(memory)
}
