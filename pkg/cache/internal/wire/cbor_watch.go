package wire

// cborWatch cuts a watch in CBOR: a sequence of maps, see RFC 8742.
type cborWatch struct{}

func (cborWatch) between(w *window) (bool, error) {
	ended, err := w.ended()
	return !ended, err
}

func (cborWatch) next(w *window) (e event, err error) {
	pairs, err := w.cborOpen()
	if err != nil {
		return e, err
	}
	for {
		key, ok, err := w.cborPair(&pairs)
		if !ok {
			return e, err
		}
		switch string(key) {
		case "type":
			err = w.cborType(&e)
		case "object":
			err = w.cborObject(&e)
		default:
			err = w.cborSkip(0)
		}
		if err != nil {
			return e, err
		}
	}
}

func (w *window) cborType(e *event) error {
	text, err := w.cborString()
	e.kind = eventType(text)
	return err
}

func (w *window) cborObject(e *event) error {
	w.hold()
	err := w.cborSkip(0)
	if !w.lost {
		e.size = w.pos - w.kept
	}
	return err
}
