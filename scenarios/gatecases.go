package scenarios

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// defaultPrimaries are gated where the file does not say what is.
var defaultPrimaries = []string{"cpu", "throughput", "p50"}

// gateRun is how a gate measures where the file does not say: a second and a half an arm a block in slices of 50 ms.
// Shorter slices dilute an effect, longer ones let the host change between the arms.
var gateRun = map[string]string{"slices": "50ms", "slices_per_block": "30", "lead_in": "3ms", "warmup": "300ms"}

// cases reads the scenarios and puts their points together into one.
func (g *gateReader) cases() error {
	v, ok := g.rows["scenarios"]
	if !ok || v.kind != list || len(v.list) == 0 {
		at := g.at
		if ok {
			at = v.at
		}
		return fmt.Errorf("%s: scenarios: wants a list of what the server is asked, as in scenarios: [{name: reads, load: {connections: 8}}]", at)
	}
	seen := map[string]string{}
	for _, x := range v.list {
		s, name, err := g.scenario(x)
		if err != nil {
			return err
		}
		if was, ok := seen[name]; ok {
			return fmt.Errorf("%s: two scenarios are named %q, the other at %s; give one another name", x.at, name, was)
		}
		seen[name] = x.at
		if err := g.add(x, s, name); err != nil {
			return err
		}
	}
	sc := g.gate.Scenario
	sc.Name, sc.About, sc.File, sc.Source = g.gate.Name, "a gate", g.gate.File, g.gate.Source
	sc.doc = nil // it was put together from several
	sc.Run.Blocks = g.gate.Looks[len(g.gate.Looks)-1]
	return nil
}

// add takes a scenario's points into the gate's.
func (g *gateReader) add(x value, s *Scenario, name string) error {
	c, err := g.caseKeys(x)
	if err != nil {
		return err
	}
	if g.gate.Scenario == nil {
		g.gate.Scenario = &Scenario{Seed: s.Seed, Arms: s.Arms, Run: s.Run, names: s.names}
	}
	for _, p := range s.Points {
		if len(p.Groups)+len(p.Phases) > 0 {
			return fmt.Errorf("%s: a gate's scenario has neither groups nor phases; make them scenarios of their own", x.at)
		}
		if err := g.enough(x, p, s.Run, c.Primaries); err != nil {
			return err
		}
		p.Params = append([]Param{{"scenario", name}}, p.Params...)
		if p.Label != "" {
			p.Label = "," + p.Label
		}
		p.Label = "scenario=" + name + p.Label
		g.gate.Scenario.Points = append(g.gate.Scenario.Points, p)
		c.Point = p.Label
		g.gate.Cases = append(g.gate.Cases, c)
	}
	return nil
}

// enough refuses a quantile that some slices of an open loop would lack, since then the block has none: the gate would not know before
// it has measured. Where arrivals are random 5 standard deviations more must be due, which one slice in three million falls short of.
func (g *gateReader) enough(x value, p Point, run RunPlan, primaries []GatePrimary) error {
	rate := p.Load.Rate
	if to := p.Load.RateTo; to > 0 {
		rate = min(rate, to)
	}
	due := rate * run.Slice.Seconds()
	if p.Load.Mode != Open || due <= 0 {
		return nil
	}
	for _, m := range primaries {
		need := float64(g.names.Samples[m.Metric])
		least, mean := need, ""
		if need > 0 && p.Load.Arrival != Evenly {
			least += 5*math.Sqrt(need+6.25) + 12.5 // the x of which x-5√x is need
			mean = fmt.Sprintf(", so %.0f on the average", math.Ceil(least))
		}
		if due < least {
			return fmt.Errorf("%s: %s needs %.0f requests in every slice%s, and %.4g are due in %v at a rate of %g; raise load.rate, or make slices longer (run: {slices: %v})",
				x.at, m.Metric, need, mean, due, run.Slice, rate, time.Duration(math.Ceil(least/rate*1000))*time.Millisecond)
		}
	}
	return nil
}

// caseKeys reads what a scenario of a gate says beside what any scenario says.
func (g *gateReader) caseKeys(x value) (c GateCase, err error) {
	v, ok := g.field(x, "start")
	if !ok {
		return c, fmt.Errorf("%s: start: is missing; write how the server is started, as in start: [%q, --port, %q]", x.at, BinMark, portMark)
	}
	if c.Start, err = commandOf(v, BinMark, portMark); err != nil {
		return c, err
	}
	than, claims := x.row("than"), x.row("claims")
	switch primaries := x.row("primaries"); {
	case than == nil && claims == nil:
	case than == nil || claims == nil:
		return c, fmt.Errorf("%s: than and claims go together: start is so many times as good as than, as in claims: {throughput: 1.3}", x.at)
	case primaries != nil:
		return c, primaries.errorf("has no meaning beside claims")
	default:
		if c.Than, err = commandOf(*than, BinMark, portMark); err == nil {
			c.Primaries, err = g.claims(*claims)
		}
		return c, err
	}
	if v, ok = g.field(x, "primaries"); ok {
		c.Primaries, err = g.primaries(v)
		return c, err
	}
	for _, m := range defaultPrimaries {
		c.Primaries = append(c.Primaries, GatePrimary{Metric: m, Delta: g.names.Deltas[m]})
	}
	return c, nil
}

// row is a key of a table; nil if it is not written.
func (v value) row(key string) *value {
	for i := range v.rows {
		if v.rows[i].key == key {
			return &v.rows[i].val
		}
	}
	return nil
}

// claims reads how many times as good each metric is.
func (g *gateReader) claims(v value) (out []GatePrimary, err error) {
	if v.kind != table || len(v.rows) == 0 {
		return nil, v.errorf("wants metrics and how many times as good they are, as in {throughput: 1.3}")
	}
	for _, row := range v.rows {
		delta, ok := g.names.Deltas[row.key]
		if !ok {
			return nil, value{at: row.at, name: v.name}.errorf("%s", unknown("metric", row.key, slices.Sorted(maps.Keys(g.names.Deltas))))
		}
		times, err := row.val.number()
		if err == nil && !(times >= 0.01 && times <= 100) {
			err = row.val.errorf("%s times as good is out of range: 0.01 to 100", quote(row.val.text))
		}
		if err != nil {
			return nil, err
		}
		out = append(out, GatePrimary{Metric: row.key, Delta: delta, Claim: times})
	}
	return out, nil
}

// field is a key of one of the scenarios, or else of the whole file.
func (g *gateReader) field(x value, key string) (value, bool) {
	if v := x.row(key); v != nil {
		return *v, true
	}
	v, ok := g.rows[key]
	return v, ok
}

// primaries reads metrics: a list of them, or a table that says what must be found of each.
func (g *gateReader) primaries(v value) (out []GatePrimary, err error) {
	const like = "as in {cpu: 5%, throughput: 5%}"
	add := func(metric string, at value, share float64) error {
		if _, ok := g.names.Deltas[metric]; !ok {
			return at.errorf("%s", unknown("metric", metric, slices.Sorted(maps.Keys(g.names.Deltas))))
		}
		if slices.ContainsFunc(out, func(p GatePrimary) bool { return p.Metric == metric }) {
			return at.errorf("%s is there twice", metric)
		}
		out = append(out, GatePrimary{Metric: metric, Delta: share})
		return nil
	}
	switch v.kind {
	case list:
		for _, x := range v.list {
			metric, err := x.word()
			if err == nil {
				err = add(metric, x, g.names.Deltas[metric])
			}
			if err != nil {
				return nil, err
			}
		}
	case table:
		for _, row := range v.rows {
			share, err := percentOf(row.val)
			if err == nil {
				err = add(row.key, value{at: row.at, name: v.name}, share)
			}
			if err != nil {
				return nil, err
			}
		}
	default:
		return nil, v.errorf("wants metrics with what must be found, %s, not %s", like, v.kind)
	}
	if len(out) == 0 {
		return nil, v.errorf("is empty: the gate would compare nothing; write metrics, %s", like)
	}
	return out, nil
}

// percentOf reads a share that is written in per cent.
func percentOf(v value) (float64, error) {
	text, err := v.word()
	if err != nil {
		return 0, err
	}
	number, ok := strings.CutSuffix(text, "%")
	x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !ok || err != nil || !(x >= 0.5 && x <= 1000) {
		return 0, v.errorf("%s is not what can be found; write per cent from 0.5%% to 1000%%, as in 5%%", quote(text))
	}
	return x / 100, nil
}

// scenario resolves one of the scenarios, with the gate's arms and its way to measure: one that is written out, or
// another's workload and load.
func (g *gateReader) scenario(x value) (*Scenario, string, error) {
	if x.kind == scalar {
		x = value{at: x.at, name: x.name, kind: table, rows: []entry{{"scenario", x.at, x}}}
	}
	if x.kind != table {
		return nil, "", x.errorf("a scenario is the name of one, or a table, not %s", x.kind)
	}
	root := value{at: x.at, name: "scenario", kind: table}
	name, other := "", ""
	var err error
	for _, row := range x.rows {
		switch row.key {
		case "name":
			name, err = row.val.word()
		case "scenario":
			other, err = row.val.word()
		case armList, runLength, "seed", "about":
			err = fmt.Errorf("%s: %s: has no meaning in a gate's scenario; the arms are base and head, and how to measure is said once, outside", row.at, row.key)
		case "start", "primaries", "than", "claims":
		default:
			root.rows = append(root.rows, row)
		}
		if err != nil {
			return nil, "", err
		}
	}
	if other != "" {
		return g.borrowed(x, root, name, other)
	}
	if name == "" {
		return nil, "", fmt.Errorf("%s: name: is missing; a gate's scenario needs one, as in name: reads", x.at)
	}
	s, err := g.resolve(root, name)
	return s, name, err
}

// borrowed takes the points of another scenario: a built-in one or a file's.
func (g *gateReader) borrowed(x, root value, name, other string) (*Scenario, string, error) {
	if len(root.rows) > 0 {
		return nil, "", fmt.Errorf("%s: %s: has no meaning beside scenario: %s, which says what is asked", root.rows[0].at, root.rows[0].key, other)
	}
	from, err := Load(other, g.names.Names)
	if err != nil {
		return nil, "", fmt.Errorf("%s: scenario: %w", x.at, err)
	}
	if name == "" {
		name = from.Name
	}
	s, err := g.resolve(root, name)
	if err != nil {
		return nil, "", err
	}
	s.Points = from.Points
	return s, name, nil
}

// resolve makes a scenario of the rows of one, the gate's arms and its way to measure.
func (g *gateReader) resolve(root value, name string) (*Scenario, error) {
	word := func(key, text string) entry {
		return entry{key, root.at, value{at: root.at, name: key, kind: scalar, text: text}}
	}
	root.rows = append(root.rows, word("name", name))
	if v, ok := g.rows["seed"]; ok {
		root.rows = append(root.rows, entry{"seed", v.at, v})
	}
	arms := value{at: root.at, name: armList, kind: list}
	for _, arm := range g.names.Arms {
		command := value{at: root.at, name: "command", kind: list} // which is another in every block
		for _, mark := range []string{BinMark, portMark} {
			command.list = append(command.list, value{at: root.at, name: "command", kind: scalar, text: mark})
		}
		a := value{at: root.at, name: "arm", kind: table, rows: []entry{word("reference", arm),
			{"command", root.at, command}}}
		if v, ok := g.rows["protocol"]; ok {
			a.rows = append(a.rows, entry{"protocol", v.at, v})
		}
		arms.list = append(arms.list, a)
	}
	root.rows = append(root.rows, entry{armList, root.at, arms})
	run, err := g.runRows(root.at)
	if err != nil {
		return nil, err
	}
	root.rows = append(root.rows, run)
	doc, err := newDocument(root.at, &root)
	if err != nil {
		return nil, err
	}
	return resolve(doc, g.names.Names)
}

// runRows is the section run, with a gate's defaults.
func (g *gateReader) runRows(at string) (entry, error) {
	run := entry{runLength, at, value{at: at, name: runLength, kind: table}}
	if v, ok := g.rows["run"]; ok {
		if v.kind != table {
			return run, v.errorf("wants a table of keys such as slices, not %s", v.kind)
		}
		run.at, run.val = v.at, v
		run.val.rows = slices.Clone(v.rows)
	}
	for _, row := range run.val.rows {
		if row.key == "blocks" {
			return run, fmt.Errorf("%s: blocks: a gate goes on until it has its verdict; say when it may have one with looks: [6, 10]", row.at)
		}
		if row.key == "sampling" {
			return run, fmt.Errorf("%s: sampling: a gate goes on at every point until it has its verdict; leave the key out", row.at)
		}
		if row.key == "slices" && row.val.text == longSlices {
			return run, fmt.Errorf("%s: slices: a gate's arms are visited in turn in short slices, as in 50ms", row.at)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(gateRun)) {
		if !slices.ContainsFunc(run.val.rows, func(e entry) bool { return e.key == key }) {
			run.val.rows = append(run.val.rows, entry{key, run.at, value{at: run.at, name: key, kind: scalar, text: gateRun[key]}})
		}
	}
	return run, nil
}
