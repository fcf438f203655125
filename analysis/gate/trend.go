package gate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/results"
)

// TrendSchema names the version of a line of a trend's record, TrendSummarySchema that of Trend's JSON.
const (
	TrendSchema        = "shardlab.trend/1"
	TrendSummarySchema = "shardlab.trend-summary/1"
)

// ErrUnsound is a measurement that is not to be kept.
var ErrUnsound = errors.New("the measurement is not sound")

// TrendLine is a line of a trend's record: what a gate of the main branch has measured of one primary against the anchor.
type TrendLine struct {
	Schema   string            `json:"schema"`
	Time     time.Time         `json:"time"`
	Run      string            `json:"run"`      // id; the lines of one gate have the same
	Revision string            `json:"revision"` // of head, in full; with +dirty behind it where the tree had changes
	Anchor   string            `json:"anchor"`   // in full
	EnvKey   string            `json:"env_key"`
	Scenario string            `json:"scenario"` // "reads", or of a sweep "reads,pipeline=16"
	Metric   Metric            `json:"metric"`
	Ratio    float64           `json:"ratio"`    // head over anchor: exp of the blocks' mean log-ratio
	Interval analysis.Interval `json:"interval"` // 99 %, of Student's t
	N        int               `json:"n"`        // blocks
	Valid    bool              `json:"valid"`    // always where a gate has written it; false takes a line out of the trend
}

// Ratios are the rows of a plan's primaries as a measurement, which a verdict is not: whether head is better or worse is not asked. An
// ErrUnsound says what of it cannot be believed: a null control that differs from itself, an arm that fails, too many void blocks.
func Ratios(p Plan, lines []results.Slice, trials []results.Trial) ([]Row, error) {
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("gate: %w", err)
	}
	all := p.newPass(p.Primaries, lines, trials, false)
	if t := all.contaminated(); t != nil {
		return nil, fmt.Errorf("%w: contaminated: %s", ErrUnsound, t.contamination())
	}
	var rows []Row
	var why []string
	for _, t := range all.primaries {
		r := p.row(t)
		if doubt := t.doubt(&r); doubt != "" {
			why = append(why, fmt.Sprintf("%s%s: %s", at(t.Point), t.meter.title, doubt))
		}
		rows = append(rows, r)
	}
	if len(why) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrUnsound, strings.Join(why, "; "))
	}
	return rows, nil
}

// doubt says why a track's ratio is not to be kept; "" if it is. An arm that may fail is held back from passing, but its ratio is that of
// pairs in which both have answered: of 24 blocks three without a reply in some slice are what a busy host does.
func (t *track) doubt(r *Row) string {
	switch {
	case t.failing.certain():
		return "it fails: " + t.failing.String()
	case t.noise != "":
		return t.noise
	case r.N == 0 && len(t.used) > 0:
		return t.unmeasured()
	case r.N < MinBlocks:
		return fmt.Sprintf("%d of the %d blocks that are the fewest have come to their end", r.N, MinBlocks)
	}
	return ""
}

// TrendRevision is how a line names a commit, or a tree with changes besides.
func TrendRevision(commit string, changes bool) string {
	if changes {
		commit += analysis.DirtyMark
	}
	return commit
}

// TrendLines are the lines that a measurement adds to a record. common has what they have in common.
func TrendLines(common TrendLine, rows []Row) (out []TrendLine) {
	for _, r := range rows {
		l := common
		l.Schema, l.Valid = TrendSchema, true
		l.Scenario, l.Metric = strings.TrimPrefix(r.Point, "scenario="), r.Metric
		l.Ratio, l.Interval, l.N = r.Ratio, *r.Interval, r.N
		out = append(out, l)
	}
	return out
}

// maxTrendLine bounds a line of a record that is read. One takes about 400 bytes.
const maxTrendLine = 1 << 20

// ReadTrend reads a trend's record. The file's name is for errors, which name the line.
func ReadTrend(r io.Reader, file string) (all []TrendLine, err error) {
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, maxTrendLine)
	n := 0
	for sc.Scan() {
		n++
		if strings.TrimSpace(sc.Text()) == "" {
			continue
		}
		var l TrendLine
		err := json.Unmarshal(sc.Bytes(), &l)
		if err == nil {
			err = l.check()
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: not a line of a trend's record: %w; delete the line, or name another file", file, n, err)
		}
		all = append(all, l)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", file, n+1, err)
	}
	return all, nil
}

func (l *TrendLine) check() error {
	positive := func(v float64) bool { return v > 0 && !math.IsInf(v, 0) }
	_, known := find(l.Metric)
	switch i := l.Interval; {
	case l.Schema != TrendSchema:
		return fmt.Errorf("its schema is %q, this program reads %q", l.Schema, TrendSchema)
	case l.Time.IsZero():
		return errors.New("it has no time")
	case l.Run == "" || l.Revision == "" || l.Anchor == "" || l.Scenario == "":
		return errors.New("run, revision, anchor or scenario is missing")
	case !known:
		return fmt.Errorf("unknown metric %q; have %v", l.Metric, Metrics())
	case !positive(l.Ratio) || !positive(i.Lo) || !positive(i.Hi) || i.Lo > l.Ratio || i.Hi < l.Ratio:
		return fmt.Errorf("a ratio of %g in [%g, %g]: all three must be above 0, the first between the others", l.Ratio, i.Lo, i.Hi)
	case l.N < 1:
		return fmt.Errorf("n is %d; it counts blocks", l.N)
	}
	return nil
}

// TrendPoints are the valid lines as points of a trend: a series each for every scenario and metric.
func TrendPoints(lines []TrendLine) (out []analysis.TrendPoint) {
	for _, l := range lines {
		if !l.Valid {
			continue
		}
		i := l.Interval
		out = append(out, analysis.TrendPoint{Run: l.Run, Started: l.Time, Revision: l.Revision, Anchor: l.Anchor, EnvKey: l.EnvKey,
			Point: l.Scenario, Arm: Head, Metric: analysis.Metric(l.Metric), Ratio: analysis.Ratio{Value: l.Ratio, Interval: &i, N: l.N}})
	}
	return out
}

// Trend is what a record comes to.
type Trend struct {
	Schema  string       `json:"schema"`
	Groups  []TrendGroup `json:"groups"` // in the order of their first gates
	Advice  []string     `json:"advice"` // about slow changes against the newest anchor; empty where there are none
	LeftOut int          `json:"left_out,omitempty"`

	points []analysis.TrendPoint
}

// TrendGroup is what may be compared: gates against one anchor on one kind of machine.
type TrendGroup struct {
	Anchor string     `json:"anchor"`
	Moved  bool       `json:"moved,omitempty"` // the newest gate has another anchor
	EnvKey string     `json:"env_key"`
	Gates  int        `json:"gates"`
	From   time.Time  `json:"from"`
	To     time.Time  `json:"to"`
	Rows   []TrendRow `json:"rows"`
}

// TrendRow is one primary of a group.
type TrendRow struct {
	Scenario string       `json:"scenario"`
	Metric   Metric       `json:"metric"`
	Last     []TrendValue `json:"last"`   // by time, seven at most
	Median   float64      `json:"median"` // of their ratios
	Gates    int          `json:"gates"`  // in all
	Creep    *TrendCreep  `json:"creep,omitempty"`
}

// TrendValue is one gate's.
type TrendValue struct {
	Time     time.Time         `json:"time"`
	Revision string            `json:"revision"`
	Ratio    float64           `json:"ratio"`
	Interval analysis.Interval `json:"interval"`
	N        int               `json:"n"`
}

// TrendCreep is a slow change: of the last gates so many lie more than 3 % on one side of the anchor.
type TrendCreep struct {
	Beyond  int  `json:"beyond"`
	Of      int  `json:"of"`
	Certain int  `json:"certain"` // of those beyond, with their whole interval on that side of the anchor
	Above   bool `json:"above"`
	Worse   bool `json:"worse"`
}

// NewTrend says what a record comes to.
func NewTrend(lines []TrendLine) *Trend {
	t := &Trend{Schema: TrendSummarySchema, Groups: []TrendGroup{}, Advice: []string{}, points: TrendPoints(lines)}
	t.LeftOut = len(lines) - len(t.points)
	series := analysis.TrendSeriesOf(t.points)
	newest := analysis.NewestAnchor(t.points)
	for i := range series {
		t.group(&series[i]).add(&series[i])
	}
	for i := range t.Groups {
		t.Groups[i].Moved = t.Groups[i].Anchor != newest
	}
	for _, c := range analysis.Creeps(t.points) {
		t.Advice = append(t.Advice, Advice(&c))
	}
	return t
}

// group is that of a series; a new one where there is none.
func (t *Trend) group(s *analysis.TrendSeries) *TrendGroup {
	for i := range t.Groups {
		if g := &t.Groups[i]; g.Anchor == s.Anchor && g.EnvKey == s.EnvKey {
			return g
		}
	}
	g := TrendGroup{Anchor: s.Anchor, EnvKey: s.EnvKey}
	runs := map[string]bool{}
	for _, p := range t.points {
		if p.Anchor != s.Anchor || p.EnvKey != s.EnvKey {
			continue
		}
		runs[p.Run] = true
		if g.From.IsZero() || p.Started.Before(g.From) {
			g.From = p.Started
		}
		if p.Started.After(g.To) {
			g.To = p.Started
		}
	}
	g.Gates = len(runs)
	t.Groups = append(t.Groups, g)
	return &t.Groups[len(t.Groups)-1]
}

func (g *TrendGroup) add(s *analysis.TrendSeries) {
	r := TrendRow{Scenario: s.Point, Metric: Metric(s.Metric), Median: s.Median(), Gates: len(s.Points)}
	for _, p := range s.Last() {
		r.Last = append(r.Last, TrendValue{p.Started, p.Revision, p.Ratio.Value, *p.Ratio.Interval, p.Ratio.N})
	}
	if c := s.Creep(); c != nil {
		r.Creep = &TrendCreep{Beyond: c.Beyond, Of: c.Of, Certain: c.Certain, Above: c.Above(), Worse: worse(c)}
	}
	g.Rows = append(g.Rows, r)
}

// worse says whether a creep is one for the worse.
func worse(c *analysis.Creep) bool { return c.Above() != Metric(c.Metric).higherIsBetter() }

// Advice is a sentence on a creep of a record.
func Advice(c *analysis.Creep) string {
	where, what := "below", "it has become better; move the anchor, or a way back to it will not be seen"
	if c.Above() {
		where = "above"
	}
	if worse(c) {
		what = "it has become worse by steps that no gate has found; shardlab gate --base REV finds where between the two, or move the anchor if all are meant"
	}
	return fmt.Sprintf("%s, %s: %d of the last %d gates lie more than %s %s the anchor %s, %d of them with their whole 99 %% interval (median %s, env_key %s): %s",
		c.Point, Metric(c.Metric).Title(), c.Beyond, c.Of, percent(analysis.TrendFloor), where, analysis.ShortRevision(c.Anchor), c.Certain, change(c.Now),
		shortKey(c.EnvKey), what)
}
