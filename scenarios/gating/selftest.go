package gating

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/shardlab/shardlab/analysis/gate"
	"github.com/shardlab/shardlab/results"
)

// SelftestSchema names the version of a line of a selftest's record.
const SelftestSchema = "shardlab.selftest/1"

// Case is a difference that is known beforehand, and what a gate must say of it.
type Case struct {
	Name  string
	About string
	base  string // what is injected into base and head
	head  string
	hog   bool          // a process that computes without end runs beside
	want  gate.Outcome  // of one of the metrics; Pass: no primary may be regressed
	on    []gate.Metric // that should find it
	least float64       // share of the gates that must say so
}

// Cases are those of the selftest, the first being aa.
var Cases = []Case{
	{Name: "aa", About: "a build against itself", want: gate.Pass, least: 0.8},
	{Name: "hog", About: "a build against itself, beside a process that computes without end", want: gate.Pass},
	// A closed loop is slower by it as well, and the first confirmed regression ends a gate: in 5 of 40 that was throughput.
	{Name: "cpu", About: "5 % more CPU time an operation", head: "cpu=5%", want: gate.Regressed,
		on: []gate.Metric{gate.CPU, gate.Throughput, gate.P50}, least: 0.95},
	{Name: "cpu-faster", About: "5 % less CPU time an operation", base: "cpu=5%", want: gate.Improved, on: []gate.Metric{gate.CPU}, least: 0.95},
	{Name: "unused", About: "5 % more CPU time of a command that is not used", head: "cpu=5%/ECHO", want: gate.Pass, least: 0.8},
	{Name: "lock", About: "a lock that everybody holds for 10 µs an operation", head: "lock=10us", want: gate.Regressed,
		on: []gate.Metric{gate.CPU, gate.Throughput, gate.P50}, least: 0.95},
	{Name: "alloc", About: "one allocation more an operation", head: "alloc=1", want: gate.Regressed, on: []gate.Metric{gate.Allocs}, least: 0.95},
	{Name: "stall", About: "20 ms of standstill every thousandth operation", head: "stall=20ms@0.1%", want: gate.Regressed,
		on: []gate.Metric{gate.P99}, least: 0.95},
}

// CasesOf are the cases that a word stands for: "aa", "inject" for all with an injection, or a case's name.
func CasesOf(word string) ([]Case, error) {
	var out []Case
	names := []string{"inject"}
	for _, c := range Cases {
		if c.Name == word || word == "inject" && c.injects() {
			out = append(out, c)
		}
		names = append(names, c.Name)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("unknown selftest %q; have %s", word, strings.Join(names, ", "))
	}
	return out, nil
}

func (c Case) injects() bool { return c.base != "" || c.head != "" }

// Record is one gate of a selftest: a line of its record.
type Record struct {
	Schema       string       `json:"schema"`
	Case         string       `json:"case"`
	Time         time.Time    `json:"time"`
	Run          string       `json:"run"`
	Revision     string       `json:"revision,omitempty"`
	EnvKey       string       `json:"env_key"`
	Outcome      gate.Outcome `json:"outcome"`
	Contaminated bool         `json:"contaminated,omitempty"`
	Right        bool         `json:"right"` // it said what it had to
	Seconds      float64      `json:"seconds"`
	Rows         []RecordRow  `json:"primaries"`
}

// RecordRow is one primary of a gate of a selftest.
type RecordRow struct {
	Point   string       `json:"point"`
	Metric  gate.Metric  `json:"metric"`
	Outcome gate.Outcome `json:"outcome"`
	First   gate.Outcome `json:"first,omitempty"` // of the first measurement, where there was a second
	Ratio   float64      `json:"ratio"`
	SD      float64      `json:"sd"`
	N       int          `json:"n"`
}

// Selftest runs gates of known differences until the record, a file that is appended to, has so many of each case. One
// that was interrupted goes on where it stopped.
func Selftest(ctx context.Context, opts Options, cases []Case, gates int, file string) ([]Record, error) {
	have, err := ReadRecords(file)
	if err != nil {
		return nil, err
	}
	for _, c := range cases {
		if err := c.suits(opts); err != nil {
			return nil, err
		}
	}
	for round := range gates { // by turns, so that an odd hour falls on all cases
		for _, c := range cases {
			if c.count(have) > round {
				continue
			}
			opts.Log(fmt.Sprintf("%s, gate %d of %d", c.Name, c.count(have)+1, gates))
			opts.Seed = uint64(c.count(have))
			r, err := c.run(ctx, opts)
			if err == nil {
				err = appendRecord(file, r)
			}
			if err != nil {
				return have, err
			}
			have = append(have, r)
		}
	}
	return have, nil
}

// suits says whether a gate can have the case at all.
func (c Case) suits(opts Options) error {
	if c.injects() && len(opts.Gate.Inject) == 0 {
		return fmt.Errorf("%s: inject: is missing; say which arguments make the server worse, as in inject: [--inject, %q]", opts.Gate.File, "{what}")
	}
	for _, m := range c.on {
		for _, x := range opts.Gate.Cases {
			for _, p := range x.Primaries {
				if p.Metric == string(m) {
					return nil
				}
			}
		}
	}
	if len(c.on) > 0 {
		return fmt.Errorf("%s: case %s is found by %v, which no scenario has among its primaries", opts.Gate.File, c.Name, c.on)
	}
	return nil
}

func (c Case) count(have []Record) (n int) {
	for _, r := range have {
		if r.Case == c.Name {
			n++
		}
	}
	return n
}

func (c Case) run(ctx context.Context, opts Options) (r Record, err error) {
	opts.BaseWorse, opts.HeadWorse = c.base, c.head
	if c.hog {
		stop, err := hog()
		if err != nil {
			return r, err
		}
		defer stop()
	}
	start := time.Now()
	dir, v, err := Run(ctx, opts)
	if err != nil {
		return r, err
	}
	run, err := results.OpenIn(opts.Results, dir)
	if err != nil {
		return r, err
	}
	r = Record{Schema: SelftestSchema, Case: c.Name, Time: start.UTC().Round(time.Second), Run: v.Run, Revision: run.Manifest.Code.Rev7(),
		EnvKey: run.Manifest.EnvKey, Outcome: v.Outcome, Contaminated: v.Contaminated != "", Right: c.right(v),
		Seconds: math.Round(10*time.Since(start).Seconds()) / 10}
	for _, x := range v.Rows {
		row := RecordRow{Point: x.Point, Metric: x.Metric, Outcome: x.Outcome, Ratio: x.Ratio, SD: x.SD, N: x.N}
		if x.First != nil {
			row.First = x.First.Outcome
		}
		r.Rows = append(r.Rows, row)
	}
	return r, nil
}

// right says whether the verdict is the one that the case demands.
func (c Case) right(v *gate.Verdict) bool {
	if c.want == gate.Pass {
		return v.Outcome == gate.Pass
	}
	return slices.ContainsFunc(v.Rows, func(r gate.Row) bool { return r.Outcome == c.want && slices.Contains(c.on, r.Metric) })
}

// hog starts a process that computes without end, and returns how to end it. It ends with us, even when we are killed: the
// kernel sees to that when the thread ends that has started it.
func hog() (stop func(), err error) {
	started, ended := make(chan error), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(ended)
		runtime.LockOSThread() // never unlocked: the thread ends here
		cmd := exec.Command("sh", "-c", "while :; do :; done")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		<-ctx.Done()
		cmd.Process.Kill()
		cmd.Wait()
	}()
	stop = func() { cancel(); <-ended }
	if err := <-started; err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// ReadRecords reads a selftest's record; a file that is not there has none.
func ReadRecords(file string) ([]Record, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Record
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, 1<<20)
	for n := 1; sc.Scan(); n++ {
		var r Record
		if err := json.Unmarshal(sc.Bytes(), &r); err != nil || r.Schema != SelftestSchema {
			return nil, fmt.Errorf("%s:%d: not a line of a selftest's record (%w); give another --record", file, n,
				cmp.Or(err, fmt.Errorf("schema %q", r.Schema)))
		}
		all = append(all, r)
	}
	return all, sc.Err()
}

func appendRecord(file string, r Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// Summarize writes what the records of the cases come to, and says whether all is as it should be: no case that should pass
// has a regression, and enough of the gates are right.
func Summarize(w io.Writer, records []Record, cases []Case) (good bool, err error) {
	good = true
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "case\tgates\tright\tpass\tregressed\timproved\tinconclusive\tseconds a gate\t")
	for _, c := range cases {
		count := map[gate.Outcome]int{}
		n, right, seconds := 0, 0, 0.0
		for _, r := range records {
			if r.Case != c.Name {
				continue
			}
			n++
			count[r.Outcome]++
			seconds += r.Seconds
			if r.Right {
				right++
			}
		}
		if n == 0 {
			continue
		}
		word := "as it should be"
		if float64(right) < c.least*float64(n) || c.want == gate.Pass && count[gate.Regressed] > 0 {
			word, good = "NOT as it should be", false
		}
		fmt.Fprintf(tw, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%.0f\t%s: %s%s\n", c.Name, n, right, count[gate.Pass], count[gate.Regressed],
			count[gate.Improved], count[gate.Inconclusive], seconds/float64(n), c.About, word, c.bound(count[gate.Regressed], n))
	}
	return good, tw.Flush()
}

// bound says what no false alarm in n gates means: 1 - 0.05^(1/n) is the rate that would still have shown none in one
// case of 20.
func (c Case) bound(regressed, n int) string {
	if c.want != gate.Pass || regressed > 0 {
		return ""
	}
	return fmt.Sprintf("; false alarms below %.2g %% with 95 %% confidence", 100*(1-math.Pow(0.05, 1/float64(n))))
}
