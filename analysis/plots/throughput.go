package plots

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"github.com/shardlab/shardlab/analysis"
)

// ErrNoData says that a report has nothing that the figure could show.
const ErrNoData = Unfit("nothing to draw: no arm has a finished block; let the run end")

// pointsPerPage bounds a figure's height where arms are few.
const pointsPerPage = 8

// Throughput is a figure of operations per second and of server CPU time per operation: a row of two panels for each
// point, a bar from zero for each arm, all panels of a column with one axis. Bars lie, so that arms are named where
// they are and need no legend. Points that do not fit on a sheet of paper take several figures.
func Throughput(r *analysis.Report, environment string) ([]Figure, error) {
	f := Figure{Name: "throughput", Title: "Throughput and cost", width: 10 * vg.Inch}
	metrics := []struct {
		metric analysis.Metric
		unit   analysis.Unit
		label  string
	}{
		{analysis.Throughput, analysis.OpsPerSecond, "throughput, operations"},
		{analysis.ServerCPU, analysis.Nanoseconds, "server CPU time per operation, "},
	}
	rows := 0
	for _, p := range r.Points {
		rows += len(p.Rows)
	}
	if rows == 0 {
		return nil, ErrNoData
	}
	f.frame = vg.Points(130)
	page := perPage(r, f.frame, vg.Points(31), pointsPerPage)
	for i, p := range r.Points {
		row := make([]*plot.Plot, len(metrics))
		for k, m := range metrics {
			top := largest(r, m.metric)
			scale := m.unit.ScaleFor(top)
			title := ""
			if k == 0 {
				title = pointTitle(p)
			}
			row[k] = stripPanel(r, p, m.metric, title, top, scale, k == 0)
			if endsPage(i, len(r.Points), page) {
				row[k].X.Label.Text = m.label + scaleSuffix(m.unit, scale)
			}
		}
		f.panels = append(f.panels, row)
		f.rows = append(f.rows, vg.Length(len(p.Rows))*vg.Points(31)+panelHeight)
	}
	f.Caption = caption(r, environment, "Bar and thick mark: median of the blocks. Dots: every block, spread "+
		"vertically to be seen. Whisker: at least 95 % interval of the median, from 6 blocks on. A verdict other than "+
		"valid stands below the arm's name.")
	return f.pages(page), nil
}

// scaleSuffix completes an axis label with its unit.
func scaleSuffix(u analysis.Unit, s analysis.Scale) string {
	if u == analysis.OpsPerSecond {
		return " (" + s.Name + ")"
	}
	return s.Name
}

// largest is the greatest value or interval end of a metric in all points.
func largest(r *analysis.Report, m analysis.Metric) (top float64) {
	for _, p := range r.Points {
		for _, row := range p.Rows {
			c := row.Cells[m]
			for _, b := range c.Blocks {
				top = max(top, b.Value)
			}
		}
	}
	return top
}

func stripPanel(r *analysis.Report, p analysis.PointReport, m analysis.Metric, title string, top float64,
	scale analysis.Scale, names bool) *plot.Plot {
	pl := newPlot(title)
	if top <= 0 {
		top = 1
	}
	pl.X.Min, pl.X.Max = 0, top*1.04
	pl.X.Tick.Marker = linearTicks{scale}
	pl.Y.Min, pl.Y.Max = -0.5, float64(len(p.Rows))-0.5
	pl.Y.Tick.Length = 0
	var ticks []plot.Tick
	s := strips{}
	for i, row := range p.Rows {
		y := float64(len(p.Rows) - 1 - i) // the first arm on top
		label := ""
		if names {
			label = row.Arm
			if row.Verdict.Verdict != analysis.Valid {
				label += "\n" + string(row.Verdict.Verdict)
			}
		}
		ticks = append(ticks, plot.Tick{Value: y, Label: label})
		s = append(s, strip{y: y, arm: row.Arm, cell: row.Cells[m], look: armLook(r, row.Arm)})
	}
	pl.Y.Tick.Marker = plot.ConstantTicks(ticks)
	pl.Add(verticalGrid{pl.X.Tick.Marker}, s)
	return pl
}
