package controller

import (
	"math/rand/v2"
	"strconv"
	"sync/atomic"
)

// ids numbers the reconciles of a controller. The prefix tells them from those of another process.
type ids struct {
	prefix string
	last   atomic.Uint64
}

func (i *ids) next() uint64 { return i.last.Add(1) }

func (i *ids) of(number uint64) string { return i.prefix + "-" + strconv.FormatUint(number, 10) }

func newPrefix() string { return strconv.FormatUint(uint64(rand.Uint32()), 36) }
