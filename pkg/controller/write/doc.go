// Package write writes API objects for a reconcile.
//
// A [Writer] guarantees:
//
//   - Read your own writes, if there is a view: the next reconcile of the key waits until the cache has what this one wrote, and
//     has lost what it deleted, as long as controller.Config.SettleTimeout says.
//   - Nothing lost: what others have changed since the object was read is not overwritten. A change meets a conflict then, and
//     is made again on what the API server has.
//   - Nothing for nothing: what is as it should be costs no request.
//   - The right one: an object that was deleted and made again is not taken for the one that was read, where one was read.
//
// Which verb for what:
//
//	                    begins from     sends             on a conflict             fields of others
//	CreateOrUpdate      the view        create or patch   reads, mutates            stay
//	Change(Status)      the object      patch             reads, mutates            stay
//	Apply(Status)       nothing         configuration     ConflictError             stay, are taken with Force
//	Create              nothing         object            returns it                -
//	Update              the object      all of it         returns it                as they were read
//	Patch               the patch       the same          returns it, if Locked     stay
//	Delete              the object      UID and version   returns it                -
//
// Errors name the verb, the Go type and the key, and wrap those of the API server, so that apierrors and
// controller.Classify know them. They quote nothing of the objects' content but what the API server says of a single field:
// the whole objects that it quotes when it can't decode what a patch has made are left out.
package write
