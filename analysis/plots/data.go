package plots

import (
	"fmt"
	"slices"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/gate"
	"github.com/shardlab/shardlab/results"
)

// Data is a run as figures need it. What only some kinds of figure need is read when they ask for it.
type Data struct {
	Report      *analysis.Report
	Run         analysis.Run
	Environment string // one line that describes the machine

	// Histograms are the response times of every row, all usable blocks together.
	Histograms func() (map[analysis.PointArm]*hdrhistogram.Histogram, error)
	// Intervals are one row's response times over time: a histogram a second of a load, one a block of a run.
	Intervals func(point, arm string) ([]results.Interval, error)
	Seconds   []results.Second             // of a load
	Verdict   *gate.Verdict                // of a gate; nil for other runs
	Trend     func() []analysis.TrendPoint // of the run's scenario, this run's points among them; nil where there are none
}

// Unfit is the error of a figure that a run cannot carry: it says what would carry it.
type Unfit string

func (u Unfit) Error() string { return string(u) }

// A Kind is one sort of figure.
type Kind struct {
	Name  string // as --kind has it
	About string
	Draw  func(Data) ([]Figure, error) // an Unfit where the run cannot carry it
}

// Kinds lists every sort of figure.
func Kinds() []Kind {
	return []Kind{
		{"throughput", "throughput and server CPU per operation, a bar for each arm", func(d Data) ([]Figure, error) {
			return Throughput(d.Report, d.Environment)
		}},
		{"latency", "response time by percentile", drawPercentiles},
		{"load", "response time against achieved rate (open loop)", func(d Data) ([]Figure, error) {
			return LatencyByRate(d.Report, d.Environment)
		}},
		{"scaling", "throughput against connections, workers, shards or processors, with the Universal Scalability Law", Scaling},
		{"forest", "every arm's ratio to the reference, or a gate's primaries, with intervals", Forest},
		{"strip", "every slice's ratio to the reference, in the order of time", RoundStrip},
		{"ecdf", "share of requests answered within a time", ECDF},
		{"heatmap", "response times over blocks or seconds, by colour", HeatMap},
		{"ridge", "density of response times, an arm above the other", Ridge},
		{"time", "throughput, CPU, steal and collections over time", OverTime},
		{"cost", "server CPU per operation by where it is spent", CostStack},
		{"matrix", "who wins where, for a sweep of two keys", Matrix},
		{"trend", "ratios to the reference over the runs of a scenario", Trend},
	}
}

// FindKind returns the kind of that name.
func FindKind(name string) (Kind, error) {
	var have []string
	for _, k := range Kinds() {
		if k.Name == name {
			return k, nil
		}
		have = append(have, k.Name)
	}
	return Kind{}, fmt.Errorf("unknown kind of figure %q; have %s", name, strings.Join(have, ", "))
}

func drawPercentiles(d Data) ([]Figure, error) {
	hists, err := d.Histograms()
	if err != nil {
		return nil, err
	}
	blocks := func(point, arm string) []results.Interval {
		if len(d.Seconds) > 0 {
			return nil // seconds are no blocks
		}
		list, err := d.Intervals(point, arm)
		if err != nil {
			return nil // the row has no log; its merged line is missing too
		}
		return slices.DeleteFunc(list, func(i results.Interval) bool { return !usable(d.Report, point, arm, i.Block) })
	}
	return Percentiles(d.Report, hists, blocks, d.Environment)
}

// usable says whether the tables use a block of a row.
func usable(r *analysis.Report, point, arm string, block int) bool {
	for _, p := range r.Points {
		for _, row := range p.Rows {
			if p.Point.Label == point && row.Arm == arm {
				return slices.ContainsFunc(row.Cells[analysis.Throughput].Blocks, func(b analysis.BlockValue) bool { return b.Block == block })
			}
		}
	}
	return false
}

// caption is the paragraphs under a figure of d.
func (d *Data) caption(marks string) []string { return caption(d.Report, d.Environment, marks) }
