package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A plot has a line for each workload with a goal, in the order of the table: a point for each implementation, where it
// stands relative to client-go, a bar from the lowest to the highest of the rounds, and the goal as a tick. It is SVG
// with text that stays in place in whatever font it is shown.
type plot struct {
	rows      []*row
	low, high float64 // ends of the axis, a logarithmic one
	svg       strings.Builder
}

// Lengths in pixels.
const (
	plotWidth  = 760
	plotLeft   = 130 // of the axis
	plotRight  = plotWidth - 30
	legendY    = 52
	legendStep = 140
	plotTop    = 76
	rowHeight  = 34
)

func (a *area) plot() []byte {
	p := &plot{rows: slices.DeleteFunc(slices.Clone(a.rows), func(r *row) bool { return len(r.goal.targets) == 0 })}
	implementations := slices.DeleteFunc(a.implementations(), func(name string) bool { return name == clientGo })
	p.low, p.high = p.bounds(implementations)

	height := p.bottom() + 34
	p.print(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`, plotWidth, height)
	p.print(`<rect width="%d" height="%d" fill="white"/>`, plotWidth, height)
	p.print(`<text x="%d" y="24" font-size="16">%s: how many times as fast as client-go</text>`, plotLeft, a.name)
	p.axis()
	for i, name := range implementations {
		p.dot(p.legend(i, name), legendY-4, colour(i))
		p.points(name, colour(i))
	}
	p.tick(p.legend(len(implementations), "goal"), legendY-4)
	p.goals()
	p.print(`</svg>`)
	return []byte(p.svg.String())
}

func (p *plot) print(format string, args ...any) { fmt.Fprintf(&p.svg, format+"\n", args...) }

// bounds returns the ends of the axis: room for all that is drawn, and for half and twice at least.
func (p *plot) bounds(implementations []string) (low, high float64) {
	low, high = 0.5, 2
	for _, r := range p.rows {
		for _, implementation := range implementations {
			if ratio, ok := r.ratio(implementation, clientGo, secPerOp); ok {
				low, high = min(low, ratio.low), max(high, ratio.high)
			}
		}
		for _, t := range r.goal.targets {
			if t.unit == secPerOp {
				high = max(high, t.times)
			}
		}
	}
	return low / 1.1, high * 1.1
}

func (p *plot) x(ratio float64) float64 {
	return plotLeft + (plotRight-plotLeft)*math.Log(ratio/p.low)/math.Log(p.high/p.low)
}

func rowY(i int) int { return plotTop + rowHeight*i + rowHeight/2 }

func (p *plot) bottom() int { return plotTop + rowHeight*len(p.rows) }

// axis draws the names of the workloads, and a line at 1, 2 and 5 of each decade. That at 1 is client-go.
func (p *plot) axis() {
	for i, r := range p.rows {
		p.print(`<text x="%d" y="%d" text-anchor="end">%s</text>`, plotLeft-10, rowY(i)+4, p.label(r))
	}
	for decade := -3; decade <= 4; decade++ {
		for _, digit := range []float64{1, 2, 5} {
			value := digit * math.Pow10(decade)
			if value < p.low || value > p.high {
				continue
			}
			stroke := "#dddddd"
			if value == 1 {
				stroke = "#555555"
			}
			p.print(`<path d="M%.1f %dV%d" stroke=%q/>`, p.x(value), plotTop, p.bottom(), stroke)
			p.print(`<text x="%.1f" y="%d" text-anchor="middle">%.4g×</text>`, p.x(value), p.bottom()+18, value)
		}
	}
}

// label tells the variant as well when the workload is drawn in several.
func (p *plot) label(r *row) string {
	for _, other := range p.rows {
		if other != r && other.workload == r.workload {
			return r.title()
		}
	}
	return r.workload
}

// legend says what a symbol stands for, and returns where to draw it.
func (p *plot) legend(i int, name string) (x float64) {
	at := plotLeft + legendStep*i
	p.print(`<text x="%d" y="%d">%s</text>`, at+10, legendY, name)
	return float64(at)
}

func (p *plot) dot(x float64, y int, fill string) {
	p.print(`<circle cx="%.1f" cy="%d" r="5" fill=%q/>`, x, y, fill)
}

func (p *plot) tick(x float64, y int) {
	p.print(`<path d="M%.1f %dv20" stroke="black" stroke-width="2" stroke-dasharray="4 2"/>`, x, y-10)
}

// points draws those rows where the implementation was measured beside client-go.
func (p *plot) points(implementation, fill string) {
	for i, r := range p.rows {
		ratio, ok := r.ratio(implementation, clientGo, secPerOp)
		if !ok {
			continue
		}
		p.print(`<path d="M%.1f %dH%.1f" stroke=%q stroke-width="3"/>`, p.x(ratio.low), rowY(i), p.x(ratio.high), fill)
		p.dot(p.x(ratio.median), rowY(i), fill)
	}
}

func (p *plot) goals() {
	for i, r := range p.rows {
		for _, t := range r.goal.targets {
			if t.unit == secPerOp {
				p.tick(p.x(t.times), rowY(i))
			}
		}
	}
}

// colour returns colours that differ also for the colour-blind (Okabe and Ito).
func colour(i int) string {
	colours := []string{"#0072b2", "#d55e00", "#999999", "#009e73", "#cc79a7"}
	return colours[i%len(colours)]
}
