package gating

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shardlab/shardlab/analysis/gate"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/scenarios/runner"
	"github.com/shardlab/shardlab/server"
)

// NoiseSchema names the version of Noise's JSON.
const NoiseSchema = "shardlab.noise/1"

// Noise is what a host does to measurements, seen for ten seconds.
type Noise struct {
	Schema    string          `json:"schema"`
	EnvKey    string          `json:"env_key"`
	Host      string          `json:"host"`
	CPUs      []CPUNoise      `json:"cpus"`
	Steal     float64         `json:"steal"`      // share of all processors' time that the hypervisor took
	Others    float64         `json:"others"`     // processors' worth of time that others than this program used, before the load
	VoidPairs float64         `json:"void_pairs"` // share of the pairs of slices that a gate would drop
	Forecasts []gate.Forecast `json:"forecasts"`
	Advice    []string        `json:"advice"` // what to change
}

// CPUNoise is what a thread saw that did nothing but read the clock on one processor.
type CPUNoise struct {
	CPU  int     `json:"cpu"`
	Lost float64 `json:"lost"`   // share of the time in gaps of more than 20 µs
	Gaps float64 `json:"gaps"`   // of those, in a second
	Max  int64   `json:"max_ns"` // the longest
}

// noiseScenario is a server as two arms: what they differ by is noise.
const noiseScenario = `name: noise
workload: {keys: 20k, distribution: uniform}
load: {connections: 8}
arms: [{topology: multi-direct, name: one}, {topology: multi-direct, name: other}]
run: {blocks: 3, slices: 50ms, slices_per_block: 14, lead_in: 3ms, warmup: 150ms}
`

// MeasureNoise watches the processors for two seconds, then runs a server against itself for about eight.
func MeasureNoise(ctx context.Context, names scenarios.Names, log func(string)) (n *Noise, err error) {
	before := results.Capture()
	n = &Noise{Schema: NoiseSchema, EnvKey: before.Key(), Host: before.Describe()}
	cpus, err := server.Allowed()
	if err != nil {
		return nil, err
	}
	log("watching the processors for 2 s")
	if n.Others, err = busyElsewhere(ctx, time.Second); err != nil {
		return nil, err
	}
	if n.CPUs, err = watch(ctx, cpus, time.Second); err != nil {
		return nil, err
	}
	log("a server against itself, about 8 s")
	if err := n.serve(ctx, names); err != nil {
		return nil, err
	}
	after := results.Capture()
	n.Steal = stolen(before.Load, after.Load)
	n.advise(after)
	return n, nil
}

// serve runs the server against itself.
func (n *Noise) serve(ctx context.Context, names scenarios.Names) (err error) {
	dir, err := os.MkdirTemp("", "shardlab-noise-")
	if err != nil {
		return err
	}
	release, err := unconfined()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release(), os.RemoveAll(dir)) }()
	sc, err := scenarios.Parse("noise.yaml", []byte(noiseScenario), names)
	if err != nil {
		return err
	}
	where, err := runner.Run(ctx, runner.Options{Scenario: sc, Results: dir})
	if err != nil {
		return err
	}
	run, err := results.OpenIn(dir, where)
	if err != nil {
		return err
	}
	perBlock, err := strconv.Atoi(scenarios.GateSlices())
	if err != nil {
		return err
	}
	n.Forecasts, n.VoidPairs = gate.Forecasts(run.Slices, run.Trials, "", "other", "one", perBlock)
	return nil
}

// busyElsewhere is how many processors' worth of time is used while we do nothing.
func busyElsewhere(ctx context.Context, d time.Duration) (float64, error) {
	before := results.Capture().Load
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(d):
	}
	after := results.Capture().Load
	busy := func(l results.Load) int64 { return l.User + l.Nice + l.System + l.IRQ + l.SoftIRQ }
	const ticks = 100 // a second, on every Linux that Go runs on
	return float64(busy(after)-busy(before)) / (d.Seconds() * ticks), nil
}

func stolen(before, after results.Load) float64 {
	all := func(l results.Load) int64 {
		return l.User + l.Nice + l.System + l.Idle + l.IOWait + l.IRQ + l.SoftIRQ + l.Steal
	}
	if total := all(after) - all(before); total > 0 {
		return float64(after.Steal-before.Steal) / float64(total)
	}
	return 0
}

// watch has a thread on each processor that reads the clock for so long.
func watch(ctx context.Context, cpus []int, d time.Duration) ([]CPUNoise, error) {
	seen := make([]CPUNoise, len(cpus))
	errs := make([]error, len(cpus))
	var wg sync.WaitGroup
	for i, cpu := range cpus {
		wg.Go(func() {
			runtime.LockOSThread() // never unlocked: a thread that is pinned ends here
			var set unix.CPUSet
			set.Set(cpu)
			if errs[i] = unix.SchedSetaffinity(0, &set); errs[i] == nil {
				seen[i] = watchOne(ctx, cpu, d)
			}
		})
	}
	wg.Wait()
	return seen, errors.Join(append(errs, ctx.Err())...)
}

// longGap is a gap between two readings of the clock that an interruption explains and nothing less: an interrupt takes
// a few microseconds.
const longGap = 20 * time.Microsecond

func watchOne(ctx context.Context, cpu int, d time.Duration) CPUNoise {
	n := CPUNoise{CPU: cpu}
	start := time.Now()
	var lost time.Duration
	gaps := 0
	for last := time.Duration(0); last < d; {
		now := time.Since(start)
		if gap := now - last; gap > longGap {
			if ctx.Err() != nil {
				break
			}
			lost, gaps, n.Max = lost+gap, gaps+1, max(n.Max, gap.Nanoseconds())
		}
		last = now
	}
	took := time.Since(start)
	n.Lost, n.Gaps = lost.Seconds()/took.Seconds(), float64(gaps)/took.Seconds()
	return n
}

// advise says what to change, the worst first.
func (n *Noise) advise(e results.Environment) {
	say := func(bad bool, format string, args ...any) {
		if bad {
			n.Advice = append(n.Advice, fmt.Sprintf(format, args...))
		}
	}
	lost := 0.0
	for _, c := range n.CPUs {
		lost = max(lost, c.Lost)
	}
	say(len(n.CPUs) < 2, "one processor for server and client: give the gate two, or what is measured is their sum")
	say(n.Steal > 0.005, "the hypervisor took %.1f %% of the time: measure at another hour, or on a host of your own", 100*n.Steal)
	say(n.Others > 0.2, "other processes use %.1f processors: stop them (top shows which), or wait until they are done", n.Others)
	say(n.Others <= 0.2 && lost > 0.02, "a processor was taken away for %.1f %% of the time though nothing runs beside: "+
		"a neighbour of the virtual machine, or a limit", 100*lost)
	say(e.Cgroup.CPUMax > 0 && e.Cgroup.CPUMax < float64(len(n.CPUs)), "a CPU quota of %.3g for %d processors: "+
		"raise it, or confine the job to fewer processors instead", e.Cgroup.CPUMax, len(n.CPUs))
	say(slices.Contains([]string{"powersave", "ondemand", "conservative", "schedutil"}, e.CPU.Governor),
		"the frequency governor is %s: set it to performance", e.CPU.Governor)
	say(n.VoidPairs > 0.1, "%.0f %% of the pairs of slices would be dropped: the host disturbs too often for slices of 50 ms",
		100*n.VoidPairs)
	for _, f := range n.Forecasts {
		if n.hopeless() {
			break // the few pairs that are left say nothing of what a gate would find
		}
		if last := f.Looks[len(f.Looks)-1]; last.Change > gate.DefaultDelta(f.Metric) {
			say(true, "%s: even %d blocks find no less than %.2g %%: raise its δ, or make its slices longer (run: {slices_per_block: 60})",
				f.Metric, last.Blocks, 100*last.Change)
		}
	}
	if len(n.Advice) == 0 {
		n.Advice = []string{"nothing: a gate finds its 5 % here"}
	}
}

// hopeless says whether most blocks of a gate would be void, and so its verdict inconclusive.
func (n *Noise) hopeless() bool { return n.VoidPairs > gate.MaxVoidPairs }

// Text writes it for people.
func (n *Noise) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", n.Host)
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, c := range n.CPUs {
		fmt.Fprintf(tw, "cpu %d\tinterrupted %.0f times a second\t%.2f %% of the time\tfor %v at most\n",
			c.CPU, c.Gaps, 100*c.Lost, time.Duration(c.Max).Round(time.Microsecond))
	}
	tw.Flush()
	fmt.Fprintf(&b, "steal %.2f %%, other processes use %.2f processors, %.0f %% of the pairs of slices void\n\n",
		100*n.Steal, n.Others, 100*n.VoidPairs)
	if n.hopeless() {
		fmt.Fprintf(&b, "a gate finds nothing here now: a block is void when more than %.0f %% of its pairs are, and would be\n", 100*gate.MaxVoidPairs)
	} else {
		n.forecasts(&b)
	}
	b.WriteString("\nto change:\n")
	for _, a := range n.Advice {
		fmt.Fprintf(&b, "- %s\n", a)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// forecasts writes what a gate finds.
func (n *Noise) forecasts(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(tw, "a gate finds\tspread of blocks")
	if len(n.Forecasts) > 0 {
		for _, l := range n.Forecasts[0].Looks {
			fmt.Fprintf(tw, "\twith %d blocks", l.Blocks)
		}
	}
	fmt.Fprintln(tw)
	for _, f := range n.Forecasts {
		fmt.Fprintf(tw, "%s\t%.2g %%", f.Metric, 100*f.SD)
		for _, l := range f.Looks {
			fmt.Fprintf(tw, "\t%s %%", strconv.FormatFloat(100*l.Change, 'f', max(0, 1-int(math.Floor(math.Log10(100*l.Change)))), 64))
		}
		fmt.Fprintln(tw)
	}
	tw.Flush()
}
