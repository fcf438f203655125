package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/gate"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/scenarios/gating"
	"github.com/shardlab/shardlab/scenarios/runner"
)

const gateHelp = `Builds two revisions of a server, starts both (and base once more, as the null control) as fresh processes in every block,
visits them in turn in short slices, and says of each metric whether head is worse than base by δ. It stops as soon as it knows,
mostly after 6 or 10 blocks.

The verdicts, and the exit code:
  pass          a slowdown of δ is excluded                                                      0
  improved      better for certain, by more than δ/2, twice                                      0
  regressed     worse for certain, by more than δ/2, twice with fresh processes and layouts      1
  inconclusive  neither was shown; the row says how many blocks would do                         3
A server that ends or falls silent under load ends the gate with 3, and says which. A file or a build that is wrong, a server that does not
start, or nothing to compare, is 2.

gate.yaml says how the server is built and started, and what it is asked. Any server will do that speaks RESP, memcached's
text protocol, HTTP or SCNP:

  name: mine
  build: [go, build, -trimpath, -buildvcs=false, "-ldflags=-randlayout={layout}", -o, "{bin}", ./cmd/server]
  start: ["{bin}", --port, "{port}"]
  primaries: {cpu: 5%, throughput: 5%, p50: 7.5%}   # what must not become worse, and by how much it must be found
  scenarios:
    - name: reads
      workload: {keys: 50k, mix: {get: 90, set: 10}}
      load: {connections: 8}

Both are started where the gate is: files that the start command names are the working tree's for both. It must be the server's own process:
a script ends with exec. {layout} is a number from 1: the same code linked in three orders is measured, since the order alone moves CPU time by 2 or 3 %.
With anchor: REV, a commit or a tag, --trend measures the working tree against that revision, in as many blocks as the last look has, and
appends a line for every scenario and metric to a record, which shardlab trend shows. It gives no verdict: it ends with 0, or with 3 and
nothing appended where the measurement is not sound.
Other keys: protocol, seed, layouts, looks: [6, 10, 16, 24], run: {slices: 50ms, slices_per_block: 30, warmup: 300ms, cpus: auto},
and inject, the arguments that make the server worse by {what}, for --selftest. A scenario may have a start and primaries of its own,
or be the name of another scenario. With than: (a start command) and claims: {throughput: 1.3} in place of primaries it gates
that start is 1.3 times as good as than, of one build. Metrics: `

func gateCommand() *cli.Command {
	var metrics []string
	for _, m := range gate.Metrics() {
		metrics = append(metrics, fmt.Sprintf("%s (%.3g %%)", m, 100*gate.DefaultDelta(m)))
	}
	return &cli.Command{
		Name:  "gate",
		Usage: "has the server become slower? two builds of it, a verdict and an exit code",
		Description: gateHelp + strings.Join(metrics, ", ") + `.

Examples:
  shardlab gate                                   # the merge base against the working tree
  shardlab gate --base v1.2.0
  shardlab gate --base-bin old --head-bin new     # nothing is built
  shardlab gate --from latest                     # the verdict again, from what was recorded
  shardlab gate --trend                           # of the main branch: the ratios to the anchor, one more time
  shardlab gate --selftest aa --gates 12          # the gate put to the test: a build against itself
  shardlab gate --selftest inject --gates 4       # and made worse by known amounts`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "config", Value: scenarios.DefaultGateFile, Usage: "the gate file"},
			&cli.StringFlag{Name: "base", Usage: "the revision to compare with (default: the merge base with the main branch)"},
			&cli.StringFlag{Name: "base-bin", Usage: "compare with this binary; needs --head-bin"},
			&cli.StringFlag{Name: "head-bin", Usage: "the binary that may be worse"},
			&cli.StringFlag{Name: "from", Usage: "judge a recorded run again: a directory, an id or latest"},
			&cli.StringFlag{Name: "scenarios", Usage: "only these scenarios of the file, separated by commas"},
			&cli.BoolFlag{Name: "no-control", Usage: "without base a second time: a third faster, and blind to what disturbs both"},
			&cli.BoolFlag{Name: "no-confirm", Usage: "believe a change that was measured once"},
			&cli.StringFlag{Name: "inconclusive", Value: "fail", Usage: "fail: exit with 3; warn: say so and exit with 0"},
			&cli.StringFlag{Name: "junit", Usage: "write the verdict to this file as JUnit's XML"},
			&cli.StringFlag{Name: "summary", Usage: "append the verdict to this file as Markdown", Sources: cli.EnvVars("GITHUB_STEP_SUMMARY")},
			&cli.BoolFlag{Name: "json", Usage: "print verdict.json"},
			&cli.BoolFlag{Name: "trend", Usage: "measure against the gate file's anchor and append the ratios to --record; no verdict"},
			&cli.StringFlag{Name: "selftest", Usage: "aa, inject, or one case: " + strings.Join(caseNames(), ", ")},
			&cli.IntFlag{Name: "gates", Value: 2, Usage: "with --selftest: so many of each case in the record"},
			&cli.StringFlag{Name: "record", Usage: "with --trend and --selftest: file that is appended to (default: trend.jsonl or selftest.jsonl in --results)"},
			resultsFlag(),
		},
		Action: gateAction,
	}
}

func caseNames() []string {
	var names []string
	for _, c := range gating.Cases {
		names = append(names, c.Name)
	}
	return names
}

// unheeded are flags that mean nothing beside another.
var unheeded = map[string][]string{
	"from":     {"selftest", "base", "base-bin", "head-bin", "scenarios", "no-control", "no-confirm", "config"},
	"selftest": {"base", "head-bin", "junit", "json", "inconclusive"},
	"base-bin": {"base"},
	"trend":    {"selftest", "from", "base", "base-bin", "head-bin", "no-control", "no-confirm", "inconclusive", "junit"},
}

// gateFlags refuses what would not be heeded.
func gateFlags(c *cli.Command) error {
	for _, flag := range slices.Sorted(maps.Keys(unheeded)) {
		for _, other := range unheeded[flag] {
			if c.IsSet(flag) && c.IsSet(other) {
				return fmt.Errorf("--%s means nothing beside --%s; leave one out", other, flag)
			}
		}
	}
	switch {
	case c.IsSet("gates") && !c.IsSet("selftest"):
		return errors.New("--gates is for --selftest")
	case c.IsSet("record") && !c.IsSet("selftest") && !c.Bool("trend"):
		return errors.New("--record is for --trend and --selftest")
	}
	if n := c.Int("gates"); n < 1 {
		return fmt.Errorf("--gates %d: a test without gates shows nothing; give 1 or more", n)
	}
	return nil
}

func gateAction(ctx context.Context, c *cli.Command) error {
	if err := wantArgs(c, 0, 0); err != nil {
		return err
	}
	if err := gateFlags(c); err != nil {
		return err
	}
	if word := c.String("inconclusive"); word != "fail" && word != "warn" {
		return fmt.Errorf("--inconclusive %q; have fail, warn", word)
	}
	if from := c.String("from"); from != "" {
		run, err := openRun(c, from)
		if err != nil {
			return err
		}
		v, err := gating.Judge(run)
		if err != nil {
			return err
		}
		return concludeGate(c, run.Dir, v)
	}
	g, err := scenarios.LoadGate(c.String("config"), gating.Names(scenarioNames()))
	if err == nil {
		err = g.Pick(c.String("scenarios"))
	}
	if err != nil {
		return err
	}
	errw := c.Root().ErrWriter
	log := func(text string) { fmt.Fprintln(errw, text) }
	builder, err := gating.NewBuilder(g.Build, log)
	if err != nil {
		return err
	}
	opts := gating.Options{
		Gate: g, Builder: builder, NoControl: c.Bool("no-control"), NoConfirm: c.Bool("no-confirm"), Results: c.String("results"),
		Argv: append([]string{"shardlab"}, os.Args[1:]...), Log: log,
		Observer: &gateDisplay{w: errw, looks: g.Looks, trend: c.Bool("trend"), done: map[string]int{}},
	}
	switch {
	case c.String("selftest") != "":
		return errors.Join(selftest(ctx, c, opts), builder.Close())
	case c.Bool("trend"):
		err = gateTrend(ctx, c, opts)
	default:
		err = gateOnce(ctx, c, opts)
	}
	if closeErr := builder.Close(); err == nil {
		err = closeErr
	}
	return err
}

// gateOnce finds what to compare, and compares it.
func gateOnce(ctx context.Context, c *cli.Command, opts gating.Options) (err error) {
	switch base, head := c.String("base-bin"), c.String("head-bin"); {
	case base != "" && head != "":
		opts.Base, opts.Head = gating.Source{Bin: base, Revision: filepath.Base(base)}, gating.Source{Bin: head, Revision: filepath.Base(head)}
	case base != "" || head != "":
		return errors.New("--base-bin and --head-bin go together")
	default:
		trees, err := gating.CheckOut(ctx, filepath.Dir(c.String("config")), c.String("base"), opts.Builder.Dir(),
			c.String("results"), c.String("junit"), c.String("summary"))
		if err != nil {
			return gateError(c, "", err)
		}
		defer closeTrees(c, trees)
		opts.Base, opts.Head = trees.Base, trees.Head
		if err := checkLost(c, opts, trees.Base); err != nil {
			return err
		}
	}
	opts.Log(fmt.Sprintf("base %s, head %s: about %v a block of all scenarios", opts.Base.Revision, opts.Head.Revision, opts.Gate.BlockTime()))
	dir, v, err := gating.Run(ctx, opts)
	if err != nil {
		return gateError(c, dir, err)
	}
	return concludeGate(c, dir, v)
}

func closeTrees(c *cli.Command, trees *gating.Trees) {
	if err := trees.Close(); err != nil {
		fmt.Fprintln(c.Root().ErrWriter, "shardlab: warning:", err)
	}
}

// checkLost refuses a gate that compares less than the gate file of base did, unless it is said what is left. A base that had no
// such file, or one that is not read any more, tells nothing.
func checkLost(c *cli.Command, opts gating.Options, base gating.Source) error {
	file := c.String("config")
	earlier, err := scenarios.LoadGate(filepath.Join(base.Dir, filepath.Base(file)), gating.Names(scenarioNames()))
	switch {
	case c.String("scenarios") != "":
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		opts.Log(fmt.Sprintf("base %s has a gate file that cannot be read: whether it compared more is not known", base.Revision))
		return nil
	}
	if lost := opts.Gate.Lost(earlier); len(lost) > 0 {
		return fmt.Errorf("%s: does not compare %s, which base %s does: less is no pass; where it is meant, say what is left with --scenarios %s",
			file, strings.Join(lost, ", "), base.Revision, strings.Join(opts.Gate.Names(), ","))
	}
	return nil
}

// gateError gives an error that ended a gate its exit code.
func gateError(c *cli.Command, dir string, err error) error {
	kept := ""
	if dir != "" {
		kept = "; what was finished is kept in " + dir
	}
	var build *gating.BuildError
	var ended *runner.EndedError
	switch {
	case errors.Is(err, context.Canceled):
		return &exitError{exitInterrupted, errors.New("interrupted" + kept)}
	case errors.As(err, &build):
		fmt.Fprint(c.Root().ErrWriter, build.Output)
	case errors.As(err, &ended), dir != "" && !errors.Is(err, gate.ErrNothing) && measured(c, dir):
		return &exitError{exitInconclusive, fmt.Errorf("%w%s", err, kept)}
	}
	return err
}

// measured says whether any block has come to its end. If none has, a server could not be started or asked, and that is no
// finding but a mistake.
func measured(c *cli.Command, dir string) bool {
	run, err := results.OpenIn(c.String("results"), dir)
	return err != nil || len(run.Trials) > 0
}

// concludeGate shows a verdict and gives it its exit code.
func concludeGate(c *cli.Command, dir string, v *gate.Verdict) error {
	if err := show(c, v); err != nil {
		return err
	}
	for flag, write := range map[string]func(io.Writer) error{"junit": v.JUnit, "summary": v.Markdown} {
		if file := c.String(flag); file != "" {
			if err := writeTo(file, flag == "summary", write); err != nil {
				return err
			}
		}
	}
	if !c.Bool("json") {
		fmt.Fprintln(c.Root().Writer, dir)
	}
	switch code := v.Outcome.ExitCode(); {
	case code == exitInconclusive && c.String("inconclusive") == "warn":
		fmt.Fprintln(c.Root().ErrWriter, "shardlab: warning: inconclusive:", v.Meaning)
	case code != 0:
		return &exitError{code, fmt.Errorf("%s: %s", v.Outcome, v.Meaning)}
	}
	return nil
}

func writeTo(file string, behind bool, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if behind {
		flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(file, flags, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b.Bytes())
	return errors.Join(err, f.Close())
}

// selftest puts the gate to the test, and shows what the whole record says.
func selftest(ctx context.Context, c *cli.Command, opts gating.Options) error {
	cases, err := gating.CasesOf(c.String("selftest"))
	if err != nil {
		return err
	}
	if opts.Base = (gating.Source{Dir: filepath.Dir(c.String("config")), Revision: "the working tree"}); c.String("base-bin") != "" {
		opts.Base = gating.Source{Bin: c.String("base-bin"), Revision: filepath.Base(c.String("base-bin"))}
	}
	opts.Head = opts.Base
	file := c.String("record")
	if file == "" {
		file = filepath.Join(c.String("results"), "selftest.jsonl")
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	records, runErr := gating.Selftest(ctx, opts, cases, c.Int("gates"), file)
	good, err := gating.Summarize(c.Root().Writer, records, cases)
	switch {
	case errors.Is(runErr, context.Canceled):
		return &exitError{exitInterrupted, fmt.Errorf("interrupted; the same command goes on from %s", file)}
	case runErr != nil:
		return runErr
	case err != nil:
		return err
	case !good:
		return &exitError{1, errors.New("the gate did not say what it should; see the record " + file)}
	}
	return nil
}

// gateDisplay is told how a gate goes: a line a block.
type gateDisplay struct {
	w     io.Writer
	looks []int
	trend bool           // there will be no verdict
	done  map[string]int // blocks of each point, in the first pass and in the confirmation
}

// Note implements runner.Observer.
func (d *gateDisplay) Note(text string) { fmt.Fprintln(d.w, text) }

// Progress implements runner.Observer.
func (d *gateDisplay) Progress(p runner.Progress) {
	if !p.BlockDone {
		return
	}
	most := d.looks[len(d.looks)-1]
	const confirming = " of the confirmation"
	again := ""
	switch {
	case p.Block > most:
		again = confirming
	case p.Block == 1: // of another gate, in a selftest
		delete(d.done, p.Point)
		delete(d.done, p.Point+confirming)
	}
	d.done[p.Point+again]++
	n := d.done[p.Point+again]
	var arms []string
	for _, a := range p.Arms {
		arms = append(arms, a.Name+" "+analysis.FormatRate(a.OpsPerSec))
	}
	i, found := slices.BinarySearch(d.looks, n)
	when := "a verdict is possible now"
	if !found && i < len(d.looks) {
		when = fmt.Sprintf("a verdict is possible after %d", d.looks[i])
	}
	if d.trend {
		when = fmt.Sprintf("%d are to come", most-n)
	}
	fmt.Fprintf(d.w, "block %d%s%s: %s; %s\n", n, again, comma(p.Point), strings.Join(arms, ", "), when)
}
