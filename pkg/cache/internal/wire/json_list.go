package wire

// jsonList cuts a list in JSON. Its keys may come in any order: custom resources send items before metadata.
type jsonList struct {
	opened, inItems bool
	begun, items    bool // the object has had a key, the array an item
}

func (l *jsonList) next(w *window, meta *ListMeta) (bool, error) {
	if !l.opened {
		if err := w.jsonOpen('{', errJSONObject); err != nil {
			return false, err
		}
		l.opened = true
	}
	for {
		if l.inItems {
			if ok, err := l.item(w); ok || err != nil {
				return ok, err
			}
		}
		key, ok, err := w.jsonKey(!l.begun)
		if !ok {
			return false, err
		}
		l.begun = true
		if err := l.member(w, key, meta); err != nil {
			return false, err
		}
	}
}

// item holds the next item.
func (l *jsonList) item(w *window) (bool, error) {
	ok, err := w.jsonNext(']', !l.items)
	l.inItems, l.items = ok, true
	if !ok {
		return false, err
	}
	w.hold()
	return true, w.jsonSkip()
}

func (l *jsonList) member(w *window, key []byte, meta *ListMeta) error {
	switch string(key) {
	case "items":
		return l.array(w)
	case "metadata":
		return w.jsonStrings(func(key []byte) *string {
			switch string(key) {
			case "resourceVersion":
				return &meta.ResourceVersion
			case "continue":
				return &meta.Continue
			}
			return nil
		})
	case "apiVersion":
		return w.jsonString(&meta.APIVersion)
	case "kind":
		return w.jsonString(&meta.Kind)
	}
	return w.jsonSkip()
}

// array enters the items, which may be null.
func (l *jsonList) array(w *window) error {
	c, err := w.jsonPeek()
	switch {
	case err != nil:
		return err
	case c == '[':
		w.pos++
		l.inItems, l.items = true, false
		return nil
	case c == 'n':
		return w.jsonSkip()
	}
	return errJSONList
}

// jsonString reads a string, or null, which changes nothing.
func (w *window) jsonString(into *string) error {
	if c, err := w.jsonPeek(); err != nil || c == 'n' {
		return w.jsonSkip()
	}
	text, err := w.jsonText()
	if err == nil && string(text) != *into {
		*into = string(text)
	}
	return err
}

// jsonStrings reads an object, or null, and of it the strings that have a place.
func (w *window) jsonStrings(place func(key []byte) *string) error {
	if c, err := w.jsonPeek(); err != nil || c != '{' {
		return w.jsonSkip()
	}
	w.pos++
	for first := true; ; first = false {
		key, ok, err := w.jsonKey(first)
		if !ok {
			return err
		}
		if into := place(key); into != nil {
			err = w.jsonString(into)
		} else {
			err = w.jsonSkip()
		}
		if err != nil {
			return err
		}
	}
}

// end consumes what may follow the list.
func (l *jsonList) end(w *window) error {
	for {
		if ended, err := w.ended(); ended || err != nil {
			return err
		}
		if !jsonSpace(w.buf[w.pos]) {
			return errJSONComma
		}
		w.pos++
	}
}
