package wire

// jsonWatch cuts a watch in JSON: values one after the other, with or without white space between them.
type jsonWatch struct{}

func (jsonWatch) next(w *window) (e event, err error) {
	if err := w.jsonOpen('{', errJSONObject); err != nil {
		return e, err
	}
	for first := true; ; first = false {
		key, ok, err := w.jsonKey(first)
		if !ok {
			return e, err
		}
		switch string(key) {
		case "type":
			err = w.jsonType(&e)
		case "object":
			err = w.jsonObject(&e)
		default:
			err = w.jsonSkip()
		}
		if err != nil {
			return e, err
		}
	}
}

func (w *window) jsonType(e *event) error {
	text, err := w.jsonText()
	e.kind = eventType(text)
	return err
}

func (w *window) jsonObject(e *event) error {
	if _, err := w.jsonPeek(); err != nil {
		return err
	}
	w.hold()
	err := w.jsonSkip()
	if !w.lost {
		e.size = w.pos - w.kept
	}
	return err
}

// between goes to the next event; false means that the stream has ended in order.
func (jsonWatch) between(w *window) (bool, error) {
	for {
		if ended, err := w.ended(); ended || err != nil {
			return false, err
		}
		if !jsonSpace(w.buf[w.pos]) {
			return true, nil
		}
		w.pos++
	}
}
