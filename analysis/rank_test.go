package analysis

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/shardlab/shardlab/analysis/internal/synth"
	"github.com/shardlab/shardlab/results"
)

// rowsOf are valid rows called a, b, c …, each with a value for every block.
func rowsOf(m Metric, blocks ...[]float64) (rows []Row) {
	for i, v := range blocks {
		e := NewSample(v).Summarize()
		rows = append(rows, Row{Arm: string(rune('a' + i)), Kind: "topology", Verdict: Judgement{Finding: Finding{Verdict: Valid}},
			Cells: map[Metric]Cell{m: {Estimate: &e, Blocks: values(v...)}}})
	}
	return rows
}

func rankingOf(m Metric, rows []Row) Ranking {
	p := PointReport{Rows: rows}
	for _, r := range rankings(&p) {
		if r.Metric == m {
			return r
		}
	}
	return Ranking{}
}

// times is x times a base that differs from block to block, with a noise of its own: of the i-th kind, scaled by e thousandths.
func times(x float64, i int, e float64) []float64 {
	base := []float64{1000, 1400, 800, 1900, 1100, 1300, 700}
	noise := [][]float64{{1, -1.3, 0.4, 0.7, -0.9, 1.2, -0.8}, {-0.6, 0.9, 1.1, -1.2, 0.3, -0.2, 0.8}, {0.5, 1.4, -0.7, -1.1, 0.2, 0.6, -1.3}}
	for k := range base {
		base[k] *= x * (1 + e*noise[i][k]/1000)
	}
	return base
}

func TestRankingOrders(t *testing.T) {
	check := func(want string, m Metric, blocks ...[]float64) {
		t.Helper()
		r := rankingOf(m, rowsOf(m, blocks...))
		if r.Order != want {
			t.Errorf("%s: got %q, want %q", m, r.Order, want)
		}
		for _, p := range r.Places {
			if p.Best < 1 || p.Worst > len(blocks) || p.Best > p.Worst || p.Worst-p.Best != len(p.Untold) {
				t.Errorf("place %+v", p)
			}
		}
	}
	a, b := times(1, 0, 2), times(1, 1, 2)
	check("a = b < c", ServerCPU, a, b, times(1.2, 2, 2))
	check("c > b = a", Throughput, a, b, times(1.2, 2, 2))
	// Blocks differ by a factor of nearly three: the arms' own intervals overlap, their differences do not.
	check("c < b < a", P50, times(1.06, 0, 2), times(1.03, 1, 2), times(1, 2, 2))
	// Not transitive: a noisy arm between two that are told apart.
	check("a = b ≲ c", ServerCPU, times(1, 0, 2), times(1.02, 1, 30), times(1.04, 2, 2))
	check("a = b", ServerCPU, []float64{5, 5, 5, 5, 5, 5}, []float64{5, 5, 5, 5, 5, 5})
	check("b < a", ServerCPU, []float64{6, 6, 6, 6, 6, 6}, []float64{5, 5, 5, 5, 5, 5})
	check("", ServerCPU, []float64{6, 6, 6, 6, 6}, []float64{5, 5, 5, 5, 5}) // too few blocks to tell
	// Less than two steps of the histogram is no difference.
	check("b = a", P99, []float64{5001, 5001, 5001, 5001, 5001, 5001}, []float64{5000, 5000, 5000, 5000, 5000, 5000})
}

// An arm whose blocks are mostly void is not left out in silence.
func TestTooFewBlocksAreNotRanked(t *testing.T) {
	r := rankingOf(ServerCPU, rowsOf(ServerCPU, times(1, 0, 2), times(0.5, 1, 2)[:MinBlocks-1], times(1.2, 2, 2)))
	if r.Order != "a < c" || r.Left() != "not ranked: b (too few blocks)" {
		t.Errorf("%q, %q", r.Order, r.Left())
	}
	if p := (PointReport{Rows: rowsOf(ServerCPU, times(1, 0, 2)[:3], times(2, 1, 2)[:3])}); len(rankings(&p)) != 0 {
		t.Error("a ranking where nobody has enough blocks")
	}
}

func TestWhoIsRanked(t *testing.T) {
	rows := rowsOf(Throughput, times(1, 0, 2), times(1.2, 1, 2), times(1.4, 2, 2), times(2, 0, 3), times(3, 1, 3))
	for i := range rows {
		rows[i].Cells[ServerCPU], rows[i].Cells[P50] = rows[i].Cells[Throughput], rows[i].Cells[Throughput]
	}
	rows[1].Verdict = Judgement{Finding: Finding{Verdict: Invalid}}
	rows[2].Verdict = Judgement{Finding: Finding{Verdict: ClientBound}}
	rows[3].Kind = "responder"
	rows[4].Verdict = Judgement{Finding{Verdict: ClientBound}, []Finding{{Verdict: Unsteady}}}
	point := PointReport{Rows: rows}
	point.Rankings = rankings(&point)
	want := []RankingLine{{"server CPU/op", "a < c; not ranked: b (invalid); e (unsteady)"},
		{"throughput, p50", "not ranked: b (invalid); c, e (client-bound); a (no rival)"}}
	if got := point.RankingLines(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}

	open := PointReport{Rows: rows, Point: results.Point{Mode: "open"}}
	for _, r := range rankings(&open) {
		if r.Metric == Throughput {
			t.Error("an open loop's throughput is ranked, which is what was offered")
		}
	}
	one := PointReport{Rows: rows[:1]}
	if r := rankings(&one); len(r) != 0 {
		t.Errorf("one arm is ranked: %+v", r)
	}
}

// TestRankingByChance ranks arms that are all alike: in one of twenty rankings some two may be told apart, whatever the noise, and where one arm
// is better by 5 % it must be found although blocks differ by 20 %.
func TestRankingByChance(t *testing.T) {
	if raceDetector {
		t.Skip("one goroutine")
	}
	noises := map[string]func(*rand.Rand) float64{
		"normal": (*rand.Rand).NormFloat64,
		"t3": func(r *rand.Rand) float64 {
			chi := 0.0
			for range 3 {
				x := r.NormFloat64()
				chi += x * x
			}
			return r.NormFloat64() / math.Sqrt(chi/3)
		},
		"skewed": func(r *rand.Rand) float64 { return math.Exp(r.NormFloat64()) },
	}
	const rounds, arms = 300, 8
	for name, noise := range noises {
		for _, n := range []int{6, 10} {
			rng := rand.New(rand.NewPCG(42, uint64(n)))
			wrong, found, disjoint := 0, 0, 0
			for range rounds {
				blocks := make([][]float64, arms)
				for range n {
					level := 0.2 * rng.NormFloat64()
					for a := range blocks {
						blocks[a] = append(blocks[a], 9000*math.Exp(level+0.015*noise(rng)))
					}
				}
				if strings.ContainsAny(rankingOf(ServerCPU, rowsOf(ServerCPU, blocks...)).Order, "<≲") {
					wrong++
				}
				for b := range blocks[0] {
					blocks[0][b] *= 0.95
				}
				rows := rowsOf(ServerCPU, blocks...)
				for _, row := range rows[1:] {
					if rows[0].Cells[ServerCPU].Estimate.Interval.Hi < row.Cells[ServerCPU].Estimate.Interval.Lo {
						disjoint++
					}
				}
				if r := rankingOf(ServerCPU, rows); r.Places[0].Arm == "a" && r.Places[0].Worst < arms {
					found++
				}
			}
			t.Logf("%s, %d blocks: of %d rankings of equal arms %d tell two apart; one of 5%% less is told from some arm in %d; their "+
				"own intervals are disjoint in %d of %d pairs", name, n, rounds, wrong, found, disjoint, rounds*(arms-1))
			if disjoint > 0 {
				t.Errorf("%d own intervals are disjoint: blocks do not differ by enough to show anything", disjoint)
			}
			if limit := rounds/20 + 3*int(math.Sqrt(rounds*0.05*0.95)); wrong > limit {
				t.Errorf("%s, %d blocks: %d of %d rankings tell equal arms apart, at most %d by chance", name, n, wrong, rounds, limit)
			}
			if name == "normal" && found < rounds*3/4 {
				t.Errorf("%d blocks: 5%% are found in %d of %d rankings", n, found, rounds)
			}
		}
	}
}

func TestRankingsOfARun(t *testing.T) {
	rep := analyse(t, sampleRun(), Options{})
	var text strings.Builder
	if err := rep.Text(&text, Style{}); err != nil {
		t.Fatal(err)
	}
	if want := "pipeline=1 · ranking"; !strings.Contains(text.String(), want) {
		t.Errorf("no %q in\n%s", want, text.String())
	}
	r := sampleRun()
	r.Manifest.Gate = []byte(`{}`)
	if p := analyse(t, r, Options{}).Points[0]; p.Rankings != nil {
		t.Errorf("a gate's arms are ranked: %+v", p.Rankings)
	}

	var b strings.Builder
	if err := rep.CSV(&b); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || len(lines) != 1+2*4*len(Metrics()) {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for _, l := range lines[1:] {
		switch fmt.Sprint(l[1], " ", l[2], " ", l[3]) {
		case "pipeline=1 thread-local server_cpu": // client-bound: the throughput is not ranked, what an operation costs is
			if l[14] != "1" || l[15] != "1" || l[9] != "shared" {
				t.Errorf("%q", l)
			}
		case "pipeline=1 thread-local throughput", "pipeline=1 redis server_cpu":
			if l[5] == "" || l[14] != "" || l[16] != "" {
				t.Errorf("%q", l)
			}
		}
	}
}

// BenchmarkRankings is what a point of eight arms and ten blocks adds to a report.
func BenchmarkRankings(b *testing.B) {
	var arms []synth.Arm
	for i := range 8 {
		arms = append(arms, synth.Arm{Name: fmt.Sprint("arm", i), Rate: 80e3 * (1 + float64(i)/20), ServerCPU: 9000, P50: 600e3})
	}
	made := synth.New(synth.Config{Seed: 1, Arms: arms, Points: synth.Closed(1), Blocks: 10, Slices: 4, Noise: 0.012})
	rep, err := New(made.Manifest, made.Slices, made.Trials, Options{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		rankings(&rep.Points[0])
	}
}
