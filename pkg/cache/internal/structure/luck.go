package structure

// luck counts how often in a row something was new at one place of a plan: the parts of one type, the strings of one
// field. Where nothing is ever known, as with what holds a name or a time, asking costs more than it gains, and what is
// remembered takes the place of better. So from patience on only every nth is asked for and remembered, until one is
// known.
type luck struct {
	misses uint32
}

const (
	patience = 1024
	nth      = 16
)

// try says whether to ask for the next one.
func (l *luck) try() bool {
	if l.misses < patience || l.misses%nth == 0 {
		return true
	}
	l.misses++
	return false
}

// learn takes note of whether it was known.
func (l *luck) learn(known bool) {
	if known {
		l.misses = 0
		return
	}
	l.misses++
	if l.misses == 0 {
		l.misses = patience
	}
}
