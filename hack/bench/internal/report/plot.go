package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A plot has a line for the time of each workload with a goal, in the order of the table, and for each other figure that is
// held against client-go: a point for each implementation, where it stands relative to client-go, a bar from the lowest to the
// highest of the rounds, and the goal as a tick. It is SVG with text that stays in place in whatever font it is shown.
type plot struct {
	lines     []line
	left      int     // of the axis
	low, high float64 // ends of the axis, a logarithmic one
	svg       strings.Builder
}

// A line is a figure of a workload.
type line struct {
	row   *row
	unit  string
	label string
}

// Lengths in pixels.
const (
	plotWidth  = 760
	plotLeft   = 130 // of the legend, and of the axis if the labels have room
	letter     = 7   // about the width of one
	plotRight  = plotWidth - 30
	legendY    = 52
	legendStep = 140
	plotTop    = 76
	rowHeight  = 34
)

func (a *area) plot() []byte {
	p := &plot{lines: a.lines()}
	p.left = plotLeft
	for _, l := range p.lines {
		p.left = max(p.left, letter*len(l.label)+10)
	}
	implementations := slices.DeleteFunc(a.implementations(), func(name string) bool { return name == clientGo })
	p.low, p.high = p.bounds(implementations)

	height := p.bottom() + 34
	p.print(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`, plotWidth, height)
	p.print(`<rect width="%d" height="%d" fill="white"/>`, plotWidth, height)
	p.print(`<text x="%d" y="24" font-size="16">%s: how many times better than client-go</text>`, plotLeft, a.name)
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

// lines returns what there is to plot.
func (a *area) lines() []line {
	var lines []line
	rows := slices.DeleteFunc(slices.Clone(a.rows), func(r *row) bool { return len(r.goal.targets) == 0 })
	for _, r := range rows {
		label := label(r, rows)
		lines = append(lines, line{r, secPerOp, label})
		for _, t := range r.goal.targets {
			if t.times > 0 && t.unit != secPerOp {
				lines = append(lines, line{r, t.unit, label + " " + strings.TrimSuffix(t.unit, "/op")})
			}
		}
	}
	return lines
}

// label tells the variant as well when the workload is drawn in several.
func label(r *row, rows []*row) string {
	for _, other := range rows {
		if other != r && other.workload == r.workload {
			return r.title()
		}
	}
	return r.workload
}

// targets returns those of the line's figure.
func (l line) targets() []target {
	return slices.DeleteFunc(slices.Clone(l.row.goal.targets), func(t target) bool { return t.unit != l.unit || t.times == 0 })
}

func (p *plot) print(format string, args ...any) { fmt.Fprintf(&p.svg, format+"\n", args...) }

// bounds returns the ends of the axis: room for all that is drawn, and for half and twice at least.
func (p *plot) bounds(implementations []string) (low, high float64) {
	low, high = 0.5, 2
	for _, l := range p.lines {
		for _, implementation := range implementations {
			if ratio, ok := l.row.ratio(implementation, clientGo, l.unit); ok {
				low, high = min(low, ratio.low), max(high, ratio.high)
			}
		}
		for _, t := range l.targets() {
			high = max(high, t.times)
		}
	}
	return low / 1.1, high * 1.1
}

func (p *plot) x(ratio float64) float64 {
	return float64(p.left) + float64(plotRight-p.left)*math.Log(ratio/p.low)/math.Log(p.high/p.low)
}

func rowY(i int) int { return plotTop + rowHeight*i + rowHeight/2 }

func (p *plot) bottom() int { return plotTop + rowHeight*len(p.lines) }

// axis draws the names of the workloads, and a line at 1, 2 and 5 of each decade. That at 1 is client-go.
func (p *plot) axis() {
	for i, l := range p.lines {
		p.print(`<text x="%d" y="%d" text-anchor="end">%s</text>`, p.left-10, rowY(i)+4, l.label)
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

// points draws those lines where the implementation was measured beside client-go.
func (p *plot) points(implementation, fill string) {
	for i, l := range p.lines {
		ratio, ok := l.row.ratio(implementation, clientGo, l.unit)
		if !ok {
			continue
		}
		p.print(`<path d="M%.1f %dH%.1f" stroke=%q stroke-width="3"/>`, p.x(ratio.low), rowY(i), p.x(ratio.high), fill)
		p.dot(p.x(ratio.median), rowY(i), fill)
	}
}

func (p *plot) goals() {
	for i, l := range p.lines {
		for _, t := range l.targets() {
			p.tick(p.x(t.times), rowY(i))
		}
	}
}

// colour returns colours that differ also for the colour-blind (Okabe and Ito).
func colour(i int) string {
	colours := []string{"#0072b2", "#d55e00", "#999999", "#009e73", "#cc79a7"}
	return colours[i%len(colours)]
}
