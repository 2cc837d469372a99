// Package wire cuts what an API server sends, bodies of lists and watch streams in JSON, protobuf and CBOR, into single
// objects, and decodes these one by one. It has no HTTP and no goroutines.
package wire
