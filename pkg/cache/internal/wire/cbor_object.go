package wire

import "encoding/binary"

// cbor reads an object until there is an error or nothing more to be known. With a kind that is known anyway it ends behind
// the metadata.
func (id *reading) cbor(w *window, known bool) {
	pairs, err := w.cborOpen()
	if err != nil {
		return
	}
	for seen := false; !seen || !known && (id.Kind == "" || id.APIVersion == ""); {
		key, ok, _ := w.cborPair(&pairs)
		if !ok {
			return
		}
		switch string(key) {
		case "metadata":
			seen = true
			enough := known || id.Kind != "" && id.APIVersion != ""
			if err = id.cborMeta(w, enough); enough {
				return
			}
		case "apiVersion":
			err = w.cborView(&id.APIVersion)
		case "kind":
			err = w.cborView(&id.Kind)
		default:
			err = w.cborSkip(0)
		}
		if err != nil {
			return
		}
	}
}

func (id *reading) cborMeta(w *window, enough bool) error {
	if c, err := w.cborPeek(); err != nil || !cborFirst(c) {
		return w.cborSkip(0)
	}
	pairs, err := w.cborOpen()
	for err == nil && (!enough || !id.complete()) {
		var key []byte
		var ok bool
		if key, ok, err = w.cborPair(&pairs); !ok {
			break
		}
		if place := id.place(key); place != nil {
			err = w.cborView(place)
		} else {
			err = w.cborSkip(0)
		}
	}
	return err
}

// cborView reads a string that it doesn't copy. Any other value is skipped.
func (w *window) cborView(into *string) error {
	c, err := w.cborPeek()
	if major := c >> 5; err != nil || major != cborBytes && major != cborText {
		return w.cborSkip(0)
	}
	text, err := w.cborString()
	if err == nil {
		*into = view(text)
	}
	return err
}

// cbor cuts the object at pos.
func (c *cutting) cbor(w *window) {
	pairs, err := w.cborOpen()
	for err == nil {
		key, ok, _ := w.cborPair(&pairs)
		if !ok {
			return
		}
		if string(key) == "metadata" {
			c.cborMeta(w)
			return
		}
		err = w.cborSkip(0)
	}
}

// cborMeta cuts the managed fields, which decoders accept only once, and makes the length of the map so much shorter.
func (c *cutting) cborMeta(w *window) {
	start := w.pos
	pairs, err := w.cborOpen()
	length := w.buf[start:w.pos]
	for err == nil {
		begin := w.pos
		key, ok, _ := w.cborPair(&pairs)
		if !ok {
			return
		}
		managed := string(key) == "managedFields"
		if err = w.cborSkip(0); err == nil && managed {
			shorten(length)
			c.cut(begin, w.pos)
			return
		}
	}
}

// shorten takes one off the length of a map, of which this is the head with the tags in front of it.
func shorten(b []byte) {
	w := over(b)
	for {
		at := w.pos
		h, err := w.cborHead()
		if err != nil || h.open {
			return
		}
		if h.major != cborTag {
			count(b[at:], h.n-1)
			return
		}
	}
}

// count writes a number into a head, with as many bytes as it has. Decoders don't insist on the shortest form.
func count(b []byte, n uint64) {
	switch len(b) {
	case 1:
		b[0] = b[0]&^0x1f | byte(n)
	case 2:
		b[1] = byte(n)
	case 3:
		binary.BigEndian.PutUint16(b[1:], uint16(n))
	case 5:
		binary.BigEndian.PutUint32(b[1:], uint32(n))
	case 9:
		binary.BigEndian.PutUint64(b[1:], n)
	}
}
