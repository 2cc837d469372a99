package wire

// cborList cuts a list in CBOR. Its keys come in any order.
type cborList struct {
	opened, inItems bool
	pairs, items    run
}

func (l *cborList) next(w *window, meta *ListMeta) (bool, error) {
	if !l.opened {
		l.opened = true
		var err error
		if l.pairs, err = w.cborOpen(); err != nil {
			return false, err
		}
	}
	for {
		if l.inItems {
			if ok, err := l.item(w); ok || err != nil {
				return ok, err
			}
		}
		key, ok, err := w.cborPair(&l.pairs)
		if !ok {
			return false, err
		}
		if err := l.member(w, string(key), meta); err != nil {
			return false, err
		}
	}
}

// item holds the next item.
func (l *cborList) item(w *window) (bool, error) {
	ok, err := l.items.next(w)
	l.inItems = ok
	if !ok {
		return false, err
	}
	w.hold()
	return true, w.cborSkip(0)
}

func (l *cborList) member(w *window, key string, meta *ListMeta) error {
	switch key {
	case "items":
		return l.array(w)
	case "metadata":
		return l.meta(w, meta)
	case "apiVersion":
		return w.cborInto(&meta.APIVersion)
	case "kind":
		return w.cborInto(&meta.Kind)
	}
	return w.cborSkip(0)
}

// array enters the items, which may be null.
func (l *cborList) array(w *window) error {
	if c, err := w.cborPeek(); err != nil || c == cborNull {
		return w.cborSkip(0)
	}
	h, err := w.cborUntagged()
	if err == nil && h.major != cborArray {
		err = errCBORList
	}
	l.inItems, l.items = err == nil, run{h.n, h.open}
	return err
}

func (l *cborList) meta(w *window, meta *ListMeta) error {
	if c, err := w.cborPeek(); err != nil || c == cborNull {
		return w.cborSkip(0)
	}
	pairs, err := w.cborOpen()
	for err == nil {
		var key []byte
		var ok bool
		if key, ok, err = w.cborPair(&pairs); !ok {
			break
		}
		switch string(key) {
		case "resourceVersion":
			err = w.cborInto(&meta.ResourceVersion)
		case "continue":
			err = w.cborInto(&meta.Continue)
		default:
			err = w.cborSkip(0)
		}
	}
	return err
}

func (l *cborList) end(w *window) error {
	ended, err := w.ended()
	if err == nil && !ended {
		err = errCBORBehind
	}
	return err
}

// cborInto reads a string, or null, which changes nothing.
func (w *window) cborInto(into *string) error {
	if c, err := w.cborPeek(); err != nil || c == cborNull {
		return w.cborSkip(0)
	}
	text, err := w.cborString()
	if err == nil {
		*into = string(text)
	}
	return err
}
