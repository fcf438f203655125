package results

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// benchUnits are the units of bench.txt, in the order of a line, and which way is better.
var benchUnits = []struct{ unit, better string }{
	{"ns/op", "lower"},
	{"cpu-ns/op", "lower"},
	{"p50-ns", "lower"},
	{"p99-ns", "lower"},
	{"ops/s", "higher"},
}

// WriteBench writes a run in the Go benchmark format (golang.org/design/14313-benchmark-format), a line per arm and
// block, for benchstat and its kin. It is what bench.txt holds already, made anew from the records.
//
// The count is of Slice.Replies; ns/op is wall time of the measured windows over it, all connections together, the
// inverse of ops/s; cpu-ns/op is the server's CPU time. Only valid slices count. A value that is not known, such as a
// quantile without enough samples, is left out of its line.
func WriteBench(w io.Writer, run *Run) error {
	sums := run.blocks()
	if _, err := w.Write(benchHeader(&run.Manifest)); err != nil {
		return err
	}
	for i := range run.Trials {
		t := &run.Trials[i]
		sum := sums.take(blockKey{t.Point, t.Arm, t.Block})
		if _, err := w.Write(benchLine(&run.Manifest, &sum, t)); err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) blocks() *blocks {
	b := newBlocks()
	for i := range r.Slices {
		b.slice(&r.Slices[i])
	}
	return b
}

// benchHeader holds the configuration that all lines share, and the units.
//
// Benchstat puts results of different configuration into different tables. So only what makes times incomparable is
// configuration; run and revision, which two files under comparison always differ in, are comments.
func benchHeader(m *Manifest) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# run %s, revision %s, scenario seed %d\n", oneLine(m.ID), oneLine(m.Code.Rev7()), m.Scenario.Seed)
	if len(m.Gate) > 0 {
		for _, a := range m.Arms {
			fmt.Fprintf(&b, "# %s is %s\n", oneLine(a.Name), oneLine(a.Version))
		}
	}
	for _, c := range [][2]string{
		{"goos", m.Before.OS}, {"goarch", m.Before.Arch}, {"pkg", modulePath}, {"cpu", m.Before.CPU.Model},
		{"env_key", m.EnvKey},
	} {
		if v := oneLine(c[1]); v != "" {
			fmt.Fprintf(&b, "%s: %s\n", c[0], v)
		}
	}
	for _, u := range benchUnits {
		fmt.Fprintf(&b, "Unit %s better=%s\n", u.unit, u.better)
	}
	return b.Bytes()
}

// benchLine is one arm's block, or nil where nothing valid was measured.
func benchLine(m *Manifest, sum *blockSum, t *Trial) []byte {
	if sum.replies == 0 || sum.dur <= 0 {
		return nil
	}
	values := []float64{ // in the order of benchUnits
		sum.perOp(sum.dur),
		sum.perOp(sum.serverCPU),
		float64(t.Response.P50),
		float64(t.Response.P99),
		sum.opsPerSecond(),
	}
	row := BenchRow{Point: t.Point, Arm: t.Arm, Count: sum.replies}
	for i, v := range values {
		if v > 0 {
			row.Values = append(row.Values, BenchValue{v, benchUnits[i].unit})
		}
	}
	return row.line(m)
}

// BenchRow is a line of a file in the Go benchmark format that somebody else has worked out.
type BenchRow struct {
	Point, Arm string
	Count      uint64 // of what was measured; above 0
	Values     []BenchValue
}

// BenchValue is a value in a unit. Those of WriteBench mean what they mean there.
type BenchValue struct {
	Value float64
	Unit  string
}

// WriteBenchRows writes rows with the header of their run. Less is better in a unit that WriteBench has not.
func WriteBenchRows(w io.Writer, m *Manifest, rows []BenchRow) error {
	b := bytes.NewBuffer(benchHeader(m))
	known := map[string]bool{}
	for _, u := range benchUnits {
		known[u.unit] = true
	}
	for _, r := range rows {
		for _, v := range r.Values {
			if !known[v.Unit] {
				known[v.Unit] = true
				fmt.Fprintf(b, "Unit %s better=lower\n", v.Unit)
			}
		}
	}
	for _, r := range rows {
		b.Write(r.line(m))
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (r *BenchRow) line(m *Manifest) []byte {
	b := []byte(benchName(m, r.Point, r.Arm))
	b = fmt.Appendf(b, " %d", r.Count)
	for _, v := range r.Values {
		b = fmt.Appendf(b, " %s %s", strconv.FormatFloat(v.Value, 'f', decimals(v.Value), 64), v.Unit)
	}
	return append(b, '\n')
}

// benchName is "BenchmarkRun/scenario=quickstart/pipeline=16/arm=shared-2", or of a gate, whose points have its scenarios' names,
// "BenchmarkGate/scenario=reads/arm=head-2". The number is that of the processors the server had, where the go command puts GOMAXPROCS.
func benchName(m *Manifest, point, arm string) string {
	var b strings.Builder
	if b.WriteString("BenchmarkGate"); len(m.Gate) == 0 {
		b.Reset()
		b.WriteString("BenchmarkRun/scenario=" + benchPart(m.Scenario.Name))
	}
	for _, p := range pointParams(m, point) {
		b.WriteString("/" + benchPart(p.Name) + "=" + benchPart(p.Value))
	}
	b.WriteString("/arm=" + benchPart(arm))
	procs := CPUListLen(m.CPUs.Server)
	if procs == 0 {
		procs = max(m.Before.Go.GOMAXPROCS, 1)
	}
	return b.String() + "-" + strconv.Itoa(procs)
}

// pointParams are a point's swept parameters; where the manifest does not know the point, its label stands for them.
func pointParams(m *Manifest, label string) []Param {
	for i := range m.Points {
		if m.Points[i].Label == label && (label == "" || len(m.Points[i].Params) > 0) {
			return m.Points[i].Params
		}
	}
	if label == "" {
		return nil
	}
	return []Param{{Name: "point", Value: label}}
}

// benchPart makes a word that can stand between the slashes of a name.
func benchPart(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '/' || unicode.IsSpace(r) || !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return '_'
		}
		return r
	}, s)
	if s == "" {
		return "_"
	}
	return s
}

// oneLine keeps foreign text from ending a header line early.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(s, "_")), " ")
}

// decimals shows at least five significant digits of a value below 10000, and whole numbers above.
func decimals(v float64) int {
	d := 0
	for ; v < 10000 && d < 4; v *= 10 {
		d++
	}
	return d
}
