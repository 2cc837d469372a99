package scale

import (
	"fmt"
	"time"
)

// Config says between which limits the number of workers moves, and when. All fields are required.
type Config struct {
	Min, Max int
	// Latency is how long a key may wait for a worker before there are more.
	Latency time.Duration
	// Calm is how many samples in a row half of the workers must have been idle before there are fewer, and for how many
	// there are not more after the server has refused.
	Calm int
}

// A Sample is what was seen since the one before.
type Sample struct {
	Busy      int           // workers at work
	Ready     int           // keys that wait for a worker
	Oldest    time.Duration // the longest of these waits
	Refused   int           // how many reconciles the server has refused
	Throttled int           // how many requests it has asked to come again later
}

// A Scaler decides how many workers there are to be. It has no clock: it is asked at even intervals.
type Scaler struct {
	config  Config
	workers int
	idle    int // samples in a row
	hold    int // samples to come in which there are not more
}

// New returns a Scaler that begins with the fewest workers.
func New(config Config) *Scaler { return &Scaler{config: config, workers: config.Min} }

// Workers returns how many there are to be.
func (s *Scaler) Workers() int { return s.workers }

// Next takes a sample. If the number of workers changes it returns a reason, else "".
func (s *Scaler) Next(sample Sample) (reason string) {
	s.hold = max(0, s.hold-1)
	s.countIdle(sample)
	switch {
	case sample.Refused+sample.Throttled > 0:
		s.hold = s.config.Calm
		return s.change(s.workers/2, fmt.Sprintf(
			"the server has refused %d reconciles and throttled %d requests", sample.Refused, sample.Throttled))
	case s.isShort(sample):
		return s.change(s.workers+max(1, s.workers/4), fmt.Sprintf("a key has waited %v for a worker", sample.Oldest.Round(time.Millisecond)))
	case s.idle >= s.config.Calm:
		s.idle = 0
		return s.change(s.workers-max(1, s.workers/4), "half of the workers were idle")
	default:
		return ""
	}
}

// isShort says whether keys wait too long because there are too few workers.
func (s *Scaler) isShort(sample Sample) bool {
	return s.hold == 0 && sample.Busy >= s.workers && sample.Ready > 0 && sample.Oldest > s.config.Latency
}

func (s *Scaler) countIdle(sample Sample) {
	if sample.Ready == 0 && 2*sample.Busy <= s.workers {
		s.idle++
	} else {
		s.idle = 0
	}
}

func (s *Scaler) change(workers int, reason string) string {
	workers = min(max(workers, s.config.Min), s.config.Max)
	if workers == s.workers {
		return ""
	}
	s.workers = workers
	return reason
}
