package clientgo

import "errors"

// ErrReadOnly is returned for an attempt to write to what [IndexerOf] returns.
var ErrReadOnly = errors.New("clientgo: an informer's objects can't be written")

// Those that client-go has too say what it says.
var (
	errStarted     = errors.New("informer has already started")
	errIndexerLate = errors.New("indexer was not added because it has stopped already")
	errForeign     = errors.New("the handle is none of this package's informers")
	errNothing     = errors.New("it returned nil") // a transform did
)
