package scenarios

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Gate is a gate.yaml read, checked and resolved: how a project's server is built and started, what it is asked, and
// what may not become worse.
type Gate struct {
	Name     string
	Build    []string // the build command, with {bin} and perhaps {layout} in it
	Layouts  int      // of the code, to link each build in; 1 where Build has no {layout}
	Anchor   string   // the revision that a trend is measured against; "" where there is none
	Inject   []string // arguments that make a server worse, with {what} in them; nil: it cannot be made worse
	Looks    []int    // blocks after which there may be a verdict, ascending
	Scenario *Scenario
	Cases    []GateCase // of the scenario's points, one each, in their order
	File     string
	Source   string
}

// GateCase is a point with what is gated there.
type GateCase struct {
	Point     string
	Start     []string // the start command, with {bin} and {port} in it
	Than      []string // nil, or a start command of the same build: Start is claimed to be better
	Primaries []GatePrimary
}

// GatePrimary is a metric with the change for the worse that must be found, as a share.
type GatePrimary struct {
	Metric string
	Delta  float64
	Claim  float64 // 0, or how many times as good as Than
}

// GateNames are the words of other packages that a gate file may use.
type GateNames struct {
	Names
	Deltas    map[string]float64 // metrics that can be gated, with what must be found where the file does not say
	Samples   map[string]uint64  // how many requests a slice must have for each
	Arms      []string           // of a gate's run; the first is what is compared with
	Looks     []int              // where the file does not say
	MaxBlocks int
	MinBlocks int
}

// DefaultGateFile is where a gate is looked for.
const DefaultGateFile = "gate.yaml"

// What stands for what is filled in.
const (
	BinMark    = "{bin}"
	LayoutMark = "{layout}"
	WhatMark   = "{what}"
)

// gateKeys are the keys of a gate file.
var gateKeys = []string{"name", "seed", "build", "start", "protocol", "layouts", "anchor", "inject", "looks", "primaries", "run", "scenarios"}

// LoadGate reads a gate file.
func LoadGate(file string, names GateNames) (*Gate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w; a gate needs a file that says how to build and start the server: see shardlab gate --help", bare(file, err))
	}
	return ParseGate(file, data, names)
}

// ParseGate reads a gate from data, which is the text of file.
func ParseGate(file string, data []byte, names GateNames) (*Gate, error) {
	root, err := parseTree(data, "gate", "gate", func(line int) string { return fmt.Sprintf("%s:%d", file, line) })
	if err != nil {
		return nil, err
	}
	if root == nil || root.kind != table {
		return nil, fmt.Errorf("%s:1: a gate is a table of keys: %s", file, strings.Join(gateKeys, ", "))
	}
	g := gateReader{names: names, rows: map[string]value{}, gate: &Gate{File: file, Source: string(data), Name: "gate"}, at: file + ":1"}
	for _, row := range root.rows {
		if !slices.Contains(gateKeys, row.key) {
			return nil, fmt.Errorf("%s: %s", row.at, unknown("key", row.key, gateKeys))
		}
		g.rows[row.key] = row.val
	}
	if err := g.head(); err != nil {
		return nil, err
	}
	if err := g.cases(); err != nil {
		return nil, err
	}
	return g.gate, nil
}

// gateReader reads a gate file.
type gateReader struct {
	names GateNames
	rows  map[string]value
	at    string
	gate  *Gate
}

// head reads the keys outside of the scenarios.
func (g *gateReader) head() (err error) {
	if v, ok := g.rows["name"]; ok {
		if g.gate.Name, err = v.word(); err != nil {
			return err
		}
		if f := goodWord("name", g.gate.Name); f != nil {
			return fmt.Errorf("%s: %w", v.at, f)
		}
	}
	if g.gate.Build, err = g.command("build", BinMark); err != nil {
		return err
	}
	if g.gate.Inject, err = g.command("inject", WhatMark); err != nil {
		return err
	}
	if err := g.layouts(); err != nil {
		return err
	}
	if err := g.anchor(); err != nil {
		return err
	}
	return g.looks()
}

// command reads a command that must hold a mark; nil where the key is not there.
func (g *gateReader) command(key, mark string) ([]string, error) {
	v, ok := g.rows[key]
	if !ok {
		return nil, nil
	}
	return commandOf(v, mark)
}

func commandOf(v value, marks ...string) ([]string, error) {
	var d draft
	if _, err := setCommand(&d, v); err != nil {
		return nil, err
	}
	for _, mark := range marks {
		if !slices.ContainsFunc(d.arm.Command, func(a string) bool { return strings.Contains(a, mark) }) {
			return nil, v.errorf("has no %s in it; write it where the value belongs, in quotes", mark)
		}
	}
	return d.arm.Command, nil
}

// layouts reads how many layouts of the code there are: three, unless the build command takes none.
func (g *gateReader) layouts() error {
	varies := slices.ContainsFunc(g.gate.Build, func(a string) bool { return strings.Contains(a, LayoutMark) })
	g.gate.Layouts = 1
	if varies {
		g.gate.Layouts = 3
	}
	v, ok := g.rows["layouts"]
	if !ok {
		return nil
	}
	n, err := v.count()
	switch {
	case err != nil:
		return err
	case n < 1 || n > 8:
		return v.errorf("%d is out of range: 1 to 8", n)
	case n > 1 && !varies:
		return v.errorf("%d layouts need %s in the build command, as in \"-ldflags=-randlayout=%s\"", n, LayoutMark, LayoutMark)
	}
	g.gate.Layouts = int(n)
	return nil
}

// fixedRevision is how a revision is spelt that may stay what it is: a commit or a tag. HEAD~3, main@{1} and a..b do not.
var fixedRevision = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._/+-]*$`)

// anchor reads the revision that a trend is measured against.
func (g *gateReader) anchor() error {
	v, ok := g.rows["anchor"]
	if !ok {
		return nil
	}
	rev, err := v.word()
	switch {
	case err != nil:
		return err
	case !fixedRevision.MatchString(rev) || strings.Contains(rev, "..") || strings.HasSuffix(rev, "HEAD"):
		return v.errorf("%s is not a fixed revision; write a commit or a tag, as in anchor: 632a930", quote(rev))
	}
	g.gate.Anchor = rev
	return nil
}

func (g *gateReader) looks() error {
	v, ok := g.rows["looks"]
	if !ok {
		g.gate.Looks = g.names.Looks
		return nil
	}
	if v.kind != list || len(v.list) == 0 {
		return v.errorf("wants a list of numbers of blocks, as in %s", strings.ReplaceAll(fmt.Sprint(g.names.Looks), " ", ", "))
	}
	for i, x := range v.list {
		n, err := x.count()
		if err != nil {
			return err
		}
		if n < int64(g.names.MinBlocks) || n > int64(g.names.MaxBlocks) || i > 0 && int(n) <= g.gate.Looks[i-1] {
			return x.errorf("%d blocks: looks ascend, from %d to %d blocks", n, g.names.MinBlocks, g.names.MaxBlocks)
		}
		g.gate.Looks = append(g.gate.Looks, int(n))
	}
	return nil
}

// BlockTime is about how long a block of one point takes: its slices, and half a second to start, fill and warm each arm.
func (g *Gate) BlockTime() time.Duration {
	r := g.Scenario.Run
	arm := time.Duration(r.SlicesPerBlock)*(r.Slice+r.LeadIn) + r.Warmup + 500*time.Millisecond
	return arm * time.Duration(len(g.Scenario.Arms))
}

// Pick leaves only these scenarios, whose names are separated by commas; "" leaves all.
func (g *Gate) Pick(list string) error {
	if list == "" {
		return nil
	}
	names := strings.Split(list, ",")
	nameOf := func(p Point) string { return p.Params[0].Value }
	have := g.Names()
	for _, name := range names {
		if !slices.Contains(have, name) {
			return fmt.Errorf("--scenarios %s: %s", list, unknown("scenario", name, have))
		}
	}
	var points []Point
	var cases []GateCase
	for i, p := range g.Scenario.Points {
		if slices.Contains(names, nameOf(p)) {
			points, cases = append(points, p), append(cases, g.Cases[i])
		}
	}
	g.Scenario.Points, g.Cases = points, cases
	return nil
}

// Names are those of the scenarios that points come from, in the order of the file.
func (g *Gate) Names() (have []string) {
	for _, p := range g.Scenario.Points {
		if name := p.Params[0].Value; !slices.Contains(have, name) {
			have = append(have, name)
		}
	}
	return have
}

// AgainstRevisions leaves out the cases that compare two ways to start one build: they say nothing of another revision.
func (g *Gate) AgainstRevisions() {
	var points []Point
	var cases []GateCase
	for i, p := range g.Scenario.Points {
		if g.Cases[i].Than == nil {
			points, cases = append(points, p), append(cases, g.Cases[i])
		}
	}
	g.Scenario.Points, g.Cases = points, cases
}

// Lost says what an earlier gate file compares and this one does not: scenarios, and metrics of those that are left. A gate that
// compares less must not pass for one that does as well as before.
func (g *Gate) Lost(earlier *Gate) (lost []string) {
	metrics := func(g *Gate, scenario string) (all []string) {
		for i, p := range g.Scenario.Points {
			if p.Params[0].Value != scenario {
				continue
			}
			for _, x := range g.Cases[i].Primaries {
				if !slices.Contains(all, x.Metric) {
					all = append(all, x.Metric)
				}
			}
		}
		return all
	}
	for _, scenario := range earlier.Names() {
		now := metrics(g, scenario)
		if len(now) == 0 {
			lost = append(lost, "scenario "+scenario)
			continue
		}
		for _, metric := range metrics(earlier, scenario) {
			if !slices.Contains(now, metric) {
				lost = append(lost, metric+" of "+scenario)
			}
		}
	}
	return lost
}

// GateSlices is how many slices an arm has in a block where the gate file does not say.
func GateSlices() string { return gateRun["slices_per_block"] }
