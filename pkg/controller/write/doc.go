// Package write writes API objects for a reconcile.
//
// A [Writer] guarantees:
//
//   - Read your own writes: the next reconcile of the key waits until the cache has what this one wrote, and has lost what it
//     deleted.
//   - Nothing lost: what others have changed since the object was read is not overwritten. A change meets a conflict then, and
//     is made again on what the API server has.
//   - Nothing for nothing: what is as it should be costs no request.
//   - The right one: an object that was deleted and made again is not taken for the one that was read, where one was read.
//
// Which verb for what:
//
//	                    begins from       writes            on a conflict     fields of others
//	CreateOrUpdate      view              create or patch   reads, mutates    stay
//	Change(Status)      object            patch             reads, mutates    stay
//	Apply(Status)       nothing           apply             ConflictError     stay, or are taken with Force
//	Create              nothing           create            error             -
//	Update              object            replace           error             error
//	Patch               patch             patch             error if Locked   stay
//	Delete              object            delete            error             error, unless AnyVersion
//
// Errors name the verb, the Go type and the key, and wrap those of the API server, so that apierrors and
// controller.Classify know them. They quote nothing of the objects' content, unless the API server does.
package write
