package structure

import (
	"reflect"
	"slices"
	"sync"
	"unsafe"
)

// A Sharer replaces parts of values by equal ones that it has seen before. Its methods may be called concurrently.
type Sharer struct {
	root   *structNode // nil if only JSON is walked
	passes sync.Pool   // of *passes

	mu    sync.Mutex
	table table
}

// NewSharer returns a Sharer for structs of type t, which remembers up to limit parts and as many strings; limit is a
// power of two. It returns false if t is not a struct that it understands.
func NewSharer(t reflect.Type, limit int) (*Sharer, bool) {
	root, ok := newCompiler().compile(t).(*structNode)
	if !ok || root.state == opaque {
		return nil, false
	}
	s := NewJSONSharer(limit)
	s.root = root
	return s, true
}

// NewJSONSharer returns a Sharer for JSON values as an unstructured object has them.
func NewJSONSharer(limit int) *Sharer {
	return &Sharer{
		passes: sync.Pool{New: func() any { return new(passes) }},
		table:  newTable(limit),
	}
}

// Share shares what is in the struct at p, which nobody else may use meanwhile. What the struct holds by value stays its
// own, but for the bytes of its strings.
func (s *Sharer) Share(p unsafe.Pointer) {
	both := s.begin()
	defer s.finish(both)
	for i := range s.root.parts {
		part := &s.root.parts[i]
		part.node.hash(unsafe.Add(p, part.offset), &both.scan)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.root.share(p, both.second(&s.table))
}

// Intern shares the strings in the struct at p, which nobody else may use meanwhile.
func (s *Sharer) Intern(p unsafe.Pointer) {
	both := s.begin()
	defer s.finish(both)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.root.share(p, both.only(&s.table))
}

// ShareJSON shares what is in m, which stays its own, as do the values at the keys of own.
func (s *Sharer) ShareJSON(m map[string]any, own ...string) {
	both := s.begin()
	defer s.finish(both)
	for key, value := range m {
		if !slices.Contains(own, key) {
			both.scan.member(key, value)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	both.second(&s.table).members(m, len(both.scan.records), own...)
}

// InternJSON shares the strings in m, but for the values at the keys of own.
func (s *Sharer) InternJSON(m map[string]any, own ...string) {
	both := s.begin()
	defer s.finish(both)
	s.mu.Lock()
	defer s.mu.Unlock()
	both.only(&s.table).members(m, 0, own...)
}

// Len returns how many parts and how many strings are remembered.
func (s *Sharer) Len() (parts, strings int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.table.parts.filled, s.table.strings.filled + s.table.boxes.filled
}

// passes are the two over one value.
type passes struct {
	scan scan
	walk walk
}

func (s *Sharer) begin() *passes {
	both := s.passes.Get().(*passes)
	both.scan.reset(s.table.seed)
	return both
}

func (s *Sharer) finish(both *passes) {
	both.walk = walk{}
	s.passes.Put(both)
}

// second returns the pass that follows the first one, under the lock of the table.
func (p *passes) second(t *table) *walk {
	t.advance()
	p.walk = walk{table: t, records: p.scan.records}
	return &p.walk
}

// only returns a pass that needs no first one, because it shares nothing but strings.
func (p *passes) only(t *table) *walk {
	t.advance()
	p.walk = walk{table: t, strings: true}
	return &p.walk
}
