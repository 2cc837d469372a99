// Package wire cuts what an API server sends, bodies of lists and watch streams in JSON, protobuf and CBOR, into single
// objects while it arrives, and decodes them one by one. It has no HTTP and no goroutines.
//
// What holds:
//
//   - A list never exists as a whole: a reader has one item in memory, in a buffer that it uses again.
//   - What is decoded equals what client-go decodes from the same bytes. A [Decoder] makes it of less memory.
//   - An object that can't be decoded, or is too large, is a matter of its own. Its [Frame.Identity] can mostly still be read,
//     and the reader goes on behind it.
//   - A body that breaks off never passes for a shorter one.
//   - Memory follows the bytes that came, not the lengths that they claim. Both an object and a list have a limit.
//   - Errors hold nothing of an object's content.
//
// The way of an object:
//
//	body ─▶ [ListReader] or [WatchReader]   1. cuts the bytes of one object
//	           │
//	         [Frame]   2. Peek, Identity: which object is it, is it known in this version?
//	           │       3. WithoutManagedFields: cuts out what nobody looks at
//	           ▼       4. Decode, or a [Decoder]'s
//	         object
//
// # Encodings
//
// A reader finds out the encoding from the first bytes.
//
// JSON: a list is an object whose keys come in any order, a watch a sequence of objects {"type": …, "object": …}. The reader
// sees strings and brackets; whether the rest is right is the decoder's business. So nesting costs nothing here, and is limited
// by the decoder, to 10000 levels.
//
// Protobuf (k8s.io/apimachinery/pkg/runtime/serializer/protobuf): a list is the magic number "k8s\x00" and a runtime.Unknown
// whose raw is the list's message. A watch is a sequence of frames: a length in four bytes, the most significant first, and a
// meta/v1 WatchEvent, whose object again has magic number and Unknown. The first frame must have less than 144 MiB, or it's not
// taken for protobuf.
//
// CBOR (RFC 8949; KEP-4222): a list is a map, a watch a sequence of maps (RFC 8742), all with or without the tag 55799 that
// says "this is CBOR", and with byte strings for text. A body with more than 10000 levels is refused.
package wire
