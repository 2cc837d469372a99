// Package client finds the API server that a controller talks to.
//
// It looks in the order that users of kubectl and of in-cluster controllers expect; see [Load].
package client
