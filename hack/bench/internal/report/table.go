package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A grid is a table of text, its header first.
type grid [][]string

const nothing = "–"

func (a *area) table() grid {
	implementations, settings, pairs := a.implementations(), a.settings(), a.pairs()
	counted := append([]string{allocsPerOp}, a.further()...)

	header := append([]string{"workload"}, settings...)
	header = append(header, implementations...)
	for _, unit := range counted {
		header = append(header, strings.TrimSuffix(unit, "/op")+" of each")
	}
	for _, pair := range pairs {
		header = append(header, pair.String())
	}
	table := grid{append(header, "goal")}
	for _, r := range a.rows {
		cells := []string{r.workload}
		for _, key := range settings {
			cells = append(cells, r.setting(key))
		}
		for _, implementation := range implementations {
			cells = append(cells, r.time(implementation))
		}
		for _, unit := range counted {
			cells = append(cells, r.each(implementations, unit))
		}
		for _, pair := range pairs {
			cells = append(cells, r.pair(pair))
		}
		table = append(table, append(cells, r.verdict()))
	}
	return table
}

// settings returns the keys of the variants.
func (a *area) settings() []string {
	var keys []string
	for _, r := range a.rows {
		for _, s := range r.variant {
			if !slices.Contains(keys, s.key) {
				keys = append(keys, s.key)
			}
		}
	}
	return keys
}

// A pair is an implementation and who it is compared with.
type pair struct{ subject, peer string }

func (p pair) String() string { return p.subject + " : " + p.peer }

func (a *area) pairs() []pair {
	var pairs []pair
	measured := a.implementations()
	for _, subject := range subjects() {
		for _, peer := range peers() {
			if slices.Contains(measured, subject) && slices.Contains(measured, peer) {
				pairs = append(pairs, pair{subject, peer})
			}
		}
	}
	return pairs
}

func (r *row) time(implementation string) string {
	value, ok := r.value(implementation, secPerOp)
	if !ok {
		return nothing
	}
	return formatSeconds(value.median)
}

// formatSeconds keeps nanoseconds up to 10 000, as most figures are in them and are easier to compare like that.
func formatSeconds(seconds float64) string {
	switch {
	case seconds < 100e-9:
		return strconv.FormatFloat(seconds*1e9, 'f', 1, 64) + " ns"
	case seconds < 10e-6:
		return strconv.FormatFloat(seconds*1e9, 'f', 0, 64) + " ns"
	case seconds < 10e-3:
		return strconv.FormatFloat(seconds*1e6, 'f', 0, 64) + " µs"
	default:
		return strconv.FormatFloat(seconds*1e3, 'f', 0, 64) + " ms"
	}
}

// each returns the figures of each in a unit, in the order of their columns, or nothing when there are none.
func (r *row) each(implementations []string, unit string) string {
	var each []string
	found := false
	for _, implementation := range implementations {
		cell := nothing
		if value, ok := r.value(implementation, unit); ok {
			cell, found = formatFigure(value.median, unit), true
		}
		each = append(each, cell)
	}
	if !found && unit != allocsPerOp {
		return nothing
	}
	return strings.Join(each, " ")
}

func formatFigure(value float64, unit string) string {
	switch {
	case unit == allocsPerOp:
		return trim(math.Round(value*10) / 10)
	case strings.HasPrefix(unit, "sec") || strings.HasSuffix(strings.TrimSuffix(unit, "/op"), "sec"):
		return strings.ReplaceAll(formatSeconds(value), " ", "\u00a0")
	case unit == peakBytes:
		return strconv.FormatFloat(value/1e6, 'f', 0, 64) + "\u00a0MB"
	case value >= 100:
		return strconv.FormatFloat(value, 'f', 0, 64)
	default:
		return strconv.FormatFloat(value, 'f', 2, 64)
	}
}

func (r *row) pair(p pair) string {
	ratio, ok := r.ratio(p.subject, p.peer, secPerOp)
	if !ok {
		return nothing
	}
	return fmt.Sprintf("%s× (%s…%s)", formatRatio(ratio.median), formatRatio(ratio.low), formatRatio(ratio.high))
}

func formatRatio(ratio float64) string {
	if ratio < 10 {
		return strconv.FormatFloat(ratio, 'f', 2, 64)
	}
	return strconv.FormatFloat(ratio, 'f', 0, 64)
}

func (r *row) verdict() string {
	if len(r.goal.targets) == 0 {
		return nothing
	}
	var verdicts []string
	for _, t := range r.goal.targets {
		mark := "✗"
		if r.meets(t) {
			mark = "✓"
		}
		verdict := t.String() + " " + mark
		if t.unit != secPerOp && t.times > 0 || t.grows > 0 { // no other column has it
			verdict += " " + r.reached(t)
		}
		verdicts = append(verdicts, verdict)
	}
	return strings.Join(verdicts, ", ")
}

// text returns the table for a terminal.
func (g grid) text() string {
	widths := make([]int, len(g[0]))
	for _, cells := range g {
		for i, cell := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var text strings.Builder
	for _, cells := range g {
		var line strings.Builder
		for i, cell := range cells {
			line.WriteString(cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return text.String()
}

func (g grid) markdown() string {
	var text strings.Builder
	for i, cells := range g {
		text.WriteString("| " + strings.Join(cells, " | ") + " |\n")
		if i == 0 {
			text.WriteString("|" + strings.Repeat("-|", len(cells)) + "\n")
		}
	}
	return text.String()
}
