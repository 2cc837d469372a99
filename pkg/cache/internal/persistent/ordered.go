package persistent

// An Ordered holds items in the order of their texts. The zero value is empty.
//
// It is a treap (C. R. Aragon and R. Seidel, "Randomized search trees", 1989): a search tree by text and a heap by
// priority, so balanced when priorities are as good as random.
type Ordered[I any] struct {
	root *item[I]
}

type item[I any] struct {
	owner       Owner
	priority    uint32
	text        string
	item        I
	left, right *item[I]
}

// Insert adds an item with a text that is not there yet. The priority is a hash of the text.
func (o *Ordered[I]) Insert(owner Owner, text string, priority uint32, i I) {
	o.root = o.root.insert(owner, &item[I]{owner: owner, priority: priority, text: text, item: i})
}

// Delete removes the item with the text, which must be there.
func (o *Ordered[I]) Delete(owner Owner, text string) {
	o.root = o.root.delete(owner, text)
}

// From yields the items from the first whose text is not less than low.
func (o *Ordered[I]) From(low string) func(yield func(string, I) bool) {
	return func(yield func(string, I) bool) { o.root.from(low, yield) }
}

func (n *item[I]) from(low string, yield func(string, I) bool) bool {
	switch {
	case n == nil:
		return true
	case n.text < low:
		return n.right.from(low, yield)
	default:
		return n.left.from(low, yield) && yield(n.text, n.item) && n.right.from(low, yield)
	}
}

func (n *item[I]) insert(owner Owner, i *item[I]) *item[I] {
	if n == nil || n.priority < i.priority {
		i.left, i.right = n.split(owner, i.text)
		return i
	}
	n = n.edit(owner)
	if i.text < n.text {
		n.left = n.left.insert(owner, i)
	} else {
		n.right = n.right.insert(owner, i)
	}
	return n
}

// split returns what is less than text and what is not.
func (n *item[I]) split(owner Owner, text string) (less, rest *item[I]) {
	if n == nil {
		return nil, nil
	}
	n = n.edit(owner)
	if n.text < text {
		n.right, rest = n.right.split(owner, text)
		return n, rest
	}
	less, n.left = n.left.split(owner, text)
	return less, n
}

func (n *item[I]) delete(owner Owner, text string) *item[I] {
	if n.text == text {
		return join(owner, n.left, n.right)
	}
	n = n.edit(owner)
	if text < n.text {
		n.left = n.left.delete(owner, text)
	} else {
		n.right = n.right.delete(owner, text)
	}
	return n
}

// join returns left and right, all of which is greater, as one.
func join[I any](owner Owner, left, right *item[I]) *item[I] {
	switch {
	case left == nil:
		return right
	case right == nil:
		return left
	case left.priority > right.priority:
		left = left.edit(owner)
		left.right = join(owner, left.right, right)
		return left
	default:
		right = right.edit(owner)
		right.left = join(owner, left, right.left)
		return right
	}
}

func (n *item[I]) edit(owner Owner) *item[I] {
	if n.owner == owner {
		return n
	}
	edited := new(*n)
	edited.owner = owner
	return edited
}
