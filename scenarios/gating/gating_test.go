package gating

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/gate"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/server"
)

func sh(t *testing.T, dir, script string) string {
	t.Helper()
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=n", "GIT_AUTHOR_EMAIL=e", "GIT_COMMITTER_NAME=n",
		"GIT_COMMITTER_EMAIL=e")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// Base is where the work began: the merge base on a branch, HEAD under changes, and HEAD's parent of a clean main branch.
func TestCheckOut(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("GITHUB_BASE_REF", "")
	check := func(rev, wantBase, wantHead, wantErr string) {
		t.Helper()
		trees, err := CheckOut(t.Context(), filepath.Join(dir, "sub"), rev, t.TempDir(), filepath.Join(dir, "out/results"), filepath.Join(dir, "gate.xml"), "")
		if wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), wantErr) {
				t.Errorf("%v, want %q", err, wantErr)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := sh(t, trees.Base.Dir, "cat file"); got != wantBase {
			t.Errorf("base has %q, want %q", got, wantBase)
		}
		if got := sh(t, trees.Head.Dir, "cat file"); got != wantHead {
			t.Errorf("head has %q, want %q", got, wantHead)
		}
		if err := trees.Close(); err != nil {
			t.Error(err)
		}
		if left := sh(t, dir, "git worktree list | wc -l"); left != "1" {
			t.Errorf("%s worktrees are left", left)
		}
	}
	sh(t, dir, "mkdir sub; echo none > sub/file")
	check("", "", "", "a gate is for a git checkout")
	sh(t, dir, "git init -q -b main; git add .; git commit -q -m none")
	check("", "", "", "HEAD has no parent here")
	sh(t, dir, "echo one > sub/file; git commit -q -a -m one")
	check("", "none", "one", "")
	sh(t, dir, "mkdir -p out/results/run; echo x > out/results/run/verdict.json; echo x > gate.xml") // what a gate has left
	check("", "none", "one", "")
	sh(t, dir, "echo x > out/new")
	check("", "one", "one", "")
	sh(t, dir, "rm -r out gate.xml")
	sh(t, dir, "echo changed > sub/file")
	check("", "one", "changed", "")
	sh(t, dir, "git checkout -q -b work; git commit -q -a -m two; echo three > sub/file; git commit -q -a -m three")
	check("", "one", "three", "")
	check("HEAD^", "changed", "three", "")
	check("HEAD", "", "", "there is nothing to compare")
	check("nosuch", "", "", "--base nosuch: no such revision here")
	sh(t, dir, "git update-ref refs/remotes/origin/release HEAD^")
	t.Setenv("GITHUB_BASE_REF", "release")
	check("", "changed", "three", "")
	t.Setenv("GITHUB_BASE_REF", "")
	sh(t, dir, "git checkout -q --orphan alone; git commit -q -m alone")
	check("", "", "", "HEAD and main have no common commit here; fetch the whole history")
	sh(t, dir, "git branch -q -D main")
	check("", "", "", "there is none of the branches")
}

// An anchor is a commit that stays, whatever the branch is: HEAD is compared with it. What a gate appends to the record is no change, in git or
// not; everything else is, and is said.
func TestCheckOutAnchor(t *testing.T) {
	dir := t.TempDir()
	record := filepath.Join(dir, "results", "trend.jsonl")
	check := func(anchor, wantErr string, changes bool) {
		t.Helper()
		trees, err := CheckOutAnchor(t.Context(), dir, anchor, record, t.TempDir(), filepath.Join(dir, "results"))
		if wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), wantErr) {
				t.Errorf("%s: %v, want %q", anchor, err, wantErr)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		defer trees.Close()
		if got := sh(t, trees.Base.Dir, "cat file"); got != "one" || trees.Base.Commit != sh(t, dir, "git rev-parse v1") || trees.Head.Commit != sh(t, dir, "git rev-parse HEAD") ||
			trees.Head.Changes != changes {
			t.Errorf("%s: base has %q, %+v, changes %v, want %v", anchor, got, trees, trees.Head.Changes, changes)
		}
	}
	sh(t, dir, "git init -q -b main; for n in one two three; do echo $n > file; git add .; git commit -q -m $n; done; git tag v1 HEAD^^; git update-ref refs/remotes/origin/work HEAD")
	check("v1", "", false)
	check(sh(t, dir, "git rev-parse v1")[:9], "", false)
	check("main", "anchor: main is a branch, which moves", false)
	check("origin/work", "is a branch, which moves", false)
	check("nosuch", "anchor: nosuch: no such revision here", false)
	check(sh(t, dir, "git rev-parse HEAD"), "there is nothing to compare; move the anchor", false)
	sh(t, dir, "mkdir results; echo x > results/trend.jsonl")
	check("v1", "", false)
	sh(t, dir, "git add .; git commit -q -m record; echo y >> results/trend.jsonl") // first in git's list of changes
	check("v1", "", false)
	sh(t, dir, "git add .; echo z >> results/trend.jsonl")
	check("v1", "", false)
	sh(t, dir, "echo changed > results/tracked; git add results/tracked")
	check("v1", "", true)
	sh(t, dir, "git commit -q -m all; echo changed > file")
	check("v1", "", true)
}

// Lines are appended whole, behind what an editor has left without an end.
func TestAppendTrend(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trend.jsonl")
	common := gate.TrendLine{Time: time.Now().UTC(), Run: "r", Revision: "a", Anchor: "b"}
	lines := gate.TrendLines(common, []gate.Row{{Point: "scenario=x", Metric: gate.CPU, Ratio: 1, Interval: &analysis.Interval{Lo: 0.9, Hi: 1.1}, N: 4}})
	for n := 1; n <= 3; n++ {
		if err := appendTrend(file, lines); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadTrend(file); err != nil || len(got) != n || got[n-1] != lines[0] {
			t.Fatalf("%d: %+v, %v", n, got, err)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, bytes.TrimSuffix(data, []byte("\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := appendTrend(t.TempDir(), lines); err == nil {
		t.Error("a folder in place of the file is no error")
	}
}

// What is missing in a clone of depth 1 is said with what would do, in the ways that a job in the cloud gets it: a branch, and a
// commit that no branch names.
func TestCheckOutShallow(t *testing.T) {
	t.Setenv("GITHUB_BASE_REF", "")
	origin, clone, detached := t.TempDir(), filepath.Join(t.TempDir(), "c"), t.TempDir()
	sh(t, origin, "git init -q -b main; for n in one two three; do echo $n > file; git add .; git commit -q -m $n; done; git tag v1 HEAD^")
	sh(t, origin, "git clone -q --depth 1 file://"+origin+" "+clone)
	sh(t, detached, "git init -q; git fetch -q --depth 1 file://"+origin+" main; git checkout -q FETCH_HEAD")
	for _, c := range []struct{ dir, rev, want string }{
		{clone, "", "HEAD has no parent here"}, {clone, "v1", "--base v1: no such revision here"}, {detached, "", "there is none of the branches"},
	} {
		_, err := CheckOut(t.Context(), c.dir, c.rev, t.TempDir())
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "actions/checkout wants fetch-depth: 0") {
			t.Errorf("%v, want %q and that the clone is shallow", err, c.want)
		}
	}
}

// An interruption while git makes the worktree leaves no worktree.
func TestCheckOutInterrupted(t *testing.T) {
	t.Setenv("GITHUB_BASE_REF", "")
	dir := t.TempDir()
	sh(t, dir, "git init -q -b main; for n in one two; do echo $n > file; git add .; git commit -q -m $n; done")
	begun := filepath.Join(t.TempDir(), "begun")
	sh(t, dir, "mkfifo "+begun+" "+begun+"2; printf '#!/bin/sh\\necho > "+begun+"; exec cat "+begun+"2\\n' > .git/hooks/post-checkout; chmod +x .git/hooks/post-checkout")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	held, err := os.OpenFile(begun+"2", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close() // which ends the hook
	go func() {
		os.ReadFile(begun) // waits for the hook, so git is in the middle of it
		cancel()
	}()
	if _, err := CheckOut(ctx, dir, "", t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left := sh(t, dir, "git worktree list | wc -l; ls .git/worktrees 2>/dev/null || true"); left != "1" {
		t.Errorf("left: %s", left)
	}
}

// An interruption ends a build with all that it has started, and lets it take its files away; what a build leaves running does not
// hold the gate up.
func TestBuildInterrupted(t *testing.T) {
	tree := t.TempDir()
	sh(t, tree, "mkfifo begun")
	b := builder(t, "sh", "-c", "trap 'rm -f scratch; exit 1' INT; echo > scratch; sleep 60 & echo $! > child; echo > begun; wait; : {bin}")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		os.ReadFile(filepath.Join(tree, "begun"))
		cancel()
	}()
	if _, err := b.binary(ctx, build{Source{Dir: tree}, 0}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left := sh(t, tree, "ls scratch 2>/dev/null || true; ps -o stat= -p $(cat child) | grep -v Z || true"); left != "" {
		t.Errorf("left: %s", left)
	}
}

// What is written down of a binary is its own hash, however many layouts a build would have.
func TestBinaryHasOneLayout(t *testing.T) {
	s := newSession(t, 3)
	file := filepath.Join(t.TempDir(), "server")
	if err := os.WriteFile(file, []byte("x"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.opts.Base, s.opts.Head, s.opts.Builder = Source{Bin: file}, Source{Bin: file}, builder(t)
	if err := s.prepare(0); err != nil {
		t.Fatal(err)
	}
	m := results.Manifest{Arms: []results.Arm{{Name: gate.Base}}}
	s.amend(&m)
	if got := m.Arms[0].Settings; got["layouts"] != "1" || len(got["sha256"]) != 64 {
		t.Errorf("%v", got)
	}
}

// The hog ends when it is told to.
func TestHog(t *testing.T) {
	stop, err := hog()
	if err != nil {
		t.Fatal(err)
	}
	if n := sh(t, t.TempDir(), fmt.Sprintf("pgrep -P %d -f 'while [:]' | wc -l", os.Getpid())); n != "1" {
		t.Errorf("%s run", n)
	}
	stop()
	if n := sh(t, t.TempDir(), fmt.Sprintf("pgrep -P %d -f 'while [:]' | wc -l", os.Getpid())); n != "0" {
		t.Errorf("%s are left", n)
	}
}

func builder(t *testing.T, command ...string) *Builder {
	t.Helper()
	b, err := NewBuilder(command, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestBuilder(t *testing.T) {
	tree := t.TempDir()
	sh(t, tree, "echo content > source")
	b := builder(t, "sh", "-c", "echo built >> log; cat source > {bin}; echo {layout} >> {bin}")
	for range 2 {
		for layout, want := range map[int]string{1: "content\n1", 2: "content\n2"} {
			path, err := b.binary(t.Context(), build{Source{Dir: tree}, layout})
			if err != nil {
				t.Fatal(err)
			}
			if got := sh(t, tree, "cat "+path); got != want {
				t.Errorf("%q", got)
			}
		}
	}
	if got := sh(t, tree, "wc -l < log"); got != "2" {
		t.Errorf("%s builds of two layouts", got)
	}
	temp := builder(t, "sh", "-c", "mktemp > {bin}; mktemp -p $GOTMPDIR >> {bin}") // what stays there goes with the builder
	path, err := temp.binary(t.Context(), build{Source{Dir: tree}, 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range strings.Fields(sh(t, tree, "cat "+path)) {
		if !strings.HasPrefix(file, temp.Dir()+"/") {
			t.Errorf("a build leaves its files in %s", file)
		}
	}
	bad := func(want string, command ...string) {
		t.Helper()
		if _, err := builder(t, command...).binary(t.Context(), build{Source{Dir: tree, Revision: "1234567"}, 1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	bad("build 1234567: second line", "sh", "-c", "echo first; echo second line >&2; exit 1")
	bad("has made no file {bin}", "true")
	bad("build: is missing in the gate file")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.binary(ended, build{Source{Dir: tree}, 3}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func newSession(t *testing.T, layouts int) *session {
	g := &scenarios.Gate{Layouts: layouts, Looks: []int{6, 10}, Inject: []string{"--inject", "{what}"}, Scenario: &scenarios.Scenario{
		Arms: []scenarios.Arm{{Name: gate.Base}, {Name: gate.Head}, {Name: gate.Control}}}}
	g.Cases = []scenarios.GateCase{{Point: "p", Start: []string{"{bin}", "{port}"}, Primaries: []scenarios.GatePrimary{{Metric: "cpu", Delta: 0.05}}},
		{Point: "q", Start: []string{"{bin}", "fast"}, Than: []string{"{bin}", "slow"}}}
	s := &session{ctx: t.Context(), plan: PlanOf(g, true, true), cases: map[string]scenarios.GateCase{}}
	s.opts = Options{Gate: g, Base: Source{Dir: "base"}, Head: Source{Dir: "head"}, Builder: &Builder{dir: "dir"}}
	for _, c := range g.Cases {
		s.cases[c.Point] = c
	}
	return s
}

// Base and head have the same layout, the control another; over as many blocks as there are layouts each has had all. The
// confirmation has none of them.
func TestLayouts(t *testing.T) {
	s := newSession(t, 3)
	seen := map[string]map[int]int{}
	for block := range 30 { // the confirmation of two points, one after the other
		base, head, control := s.buildOf(gate.Base, block), s.buildOf(gate.Head, block), s.buildOf(gate.Control, block)
		if base.layout != head.layout || base.layout == control.layout || base.source != control.source || base.source == head.source {
			t.Fatalf("block %d: %v %v %v", block, base, head, control)
		}
		if first := base.layout <= 3 && control.layout <= 3; first != (block < 10) {
			t.Errorf("block %d has layout %d", block, base.layout)
		}
		if base.layout > 6 || control.layout > 6 {
			t.Errorf("block %d: layouts %d and %d of 6", block, base.layout, control.layout)
		}
		for arm, x := range map[string]build{gate.Base: base, gate.Control: control} {
			if seen[arm] == nil {
				seen[arm] = map[int]int{}
			}
			if block < 6 {
				seen[arm][x.layout]++
			}
		}
	}
	for arm, n := range seen {
		if n[1] != 2 || n[2] != 2 || n[3] != 2 {
			t.Errorf("%s had layouts %v in 6 blocks", arm, n)
		}
	}
	if x := newSession(t, 1).buildOf(gate.Control, 3); x.layout != 0 {
		t.Errorf("layout %d of a build that has none", x.layout)
	}
}

// Who changes the working tree while a gate runs does not change what it measures.
func TestHeadIsBuiltAtOnce(t *testing.T) {
	for _, layouts := range []int{1, 3} {
		base, head := t.TempDir(), t.TempDir()
		sh(t, base, "echo base > source")
		sh(t, head, "echo head > source")
		s := newSession(t, layouts)
		s.opts.Base, s.opts.Head = Source{Dir: base}, Source{Dir: head}
		s.opts.Builder = builder(t, "sh", "-c", "cat source > {bin}; : {layout}")
		if err := s.build(); err != nil {
			t.Fatal(err)
		}
		sh(t, head, "echo changed > source")
		for block := range 30 {
			if err := s.prepare(block); err != nil {
				t.Fatal(err)
			}
			if got := sh(t, head, "cat "+s.path(gate.Base)+" "+s.path(gate.Head)+" "+s.path(gate.Control)); got != "base\nhead\nbase" {
				t.Fatalf("%d layouts, block %d: base, head and control are %q", layouts, block, got)
			}
		}
	}
}

func TestCommands(t *testing.T) {
	s := newSession(t, 1)
	s.slots = map[string]int{gate.Base: 0, gate.Head: 1, gate.Control: 2}
	s.opts.HeadWorse = "cpu=5%"
	check := func(point, arm, want string) {
		t.Helper()
		argv, err := s.Command(0, point, arm)
		if got := strings.Join(argv, " "); err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	check("p", gate.Base, "dir/server-0 {port}")
	check("p", gate.Head, "dir/server-1 {port} --inject cpu=5%")
	check("p", gate.Control, "dir/server-2 {port}")
	check("q", gate.Base, "dir/server-1 slow") // a claim is of one build
	check("q", gate.Head, "dir/server-1 fast --inject cpu=5%")
}

func TestRecordIsContinued(t *testing.T) {
	file := filepath.Join(t.TempDir(), "record.jsonl")
	cases, err := CasesOf("aa")
	if err != nil || len(cases) != 1 {
		t.Fatal(cases, err)
	}
	if all, _ := CasesOf("inject"); len(all) < 5 {
		t.Errorf("%d injections", len(all))
	}
	for range 3 {
		if err := appendRecord(file, Record{Schema: SelftestSchema, Case: "aa", Outcome: gate.Pass, Right: true, Seconds: 60}); err != nil {
			t.Fatal(err)
		}
	}
	// Three are there: three that are wanted need no gate.
	have, err := Selftest(t.Context(), Options{Gate: &scenarios.Gate{}}, cases, 3, file)
	if err != nil || len(have) != 3 {
		t.Fatal(have, err)
	}
	var b strings.Builder
	if good, err := Summarize(&b, have, cases); !good || err != nil || !strings.Contains(b.String(), "as it should be; false alarms below 63 % with 95 % confidence") {
		t.Error(b.String(), err)
	}
	b.Reset()
	if good, _ := Summarize(&b, append(have, Record{Case: "aa", Outcome: gate.Regressed}), cases); good || !strings.Contains(b.String(), "NOT as it should be") {
		t.Error(b.String())
	}
	os.WriteFile(file, []byte("{}\n"), 0o644)
	if _, err := ReadRecords(file); err == nil || !strings.Contains(err.Error(), "record.jsonl:1: not a line of a selftest's record") {
		t.Error(err)
	}
}

// What a case is found by must be among what is gated.
func TestCaseSuits(t *testing.T) {
	stall, _ := CasesOf("stall")
	g := &scenarios.Gate{File: "gate.yaml", Cases: []scenarios.GateCase{{Primaries: []scenarios.GatePrimary{{Metric: "cpu"}}}}}
	if err := stall[0].suits(Options{Gate: g}); err == nil || !strings.Contains(err.Error(), "gate.yaml: inject: is missing") {
		t.Error(err)
	}
	g.Inject = []string{"{what}"}
	if err := stall[0].suits(Options{Gate: g}); err == nil || !strings.Contains(err.Error(), "which no scenario has among its primaries") {
		t.Error(err)
	}
}

func TestJudgeRefusesOtherRuns(t *testing.T) {
	if _, err := Judge(&results.Run{Manifest: results.Manifest{ID: "x"}}); err == nil || !strings.Contains(err.Error(), "x is no gate's run") {
		t.Error(err)
	}
}

func TestAdvice(t *testing.T) {
	check := func(n Noise, e results.Environment, want string) {
		t.Helper()
		n.advise(e)
		if text := strings.Join(n.Advice, "\n"); !strings.Contains(text, want) {
			t.Errorf("%q, want %q", text, want)
		}
	}
	two := []CPUNoise{{CPU: 0}, {CPU: 1}}
	check(Noise{CPUs: two}, results.Environment{}, "nothing: a gate finds its 5 % here")
	check(Noise{CPUs: two[:1]}, results.Environment{}, "one processor")
	check(Noise{CPUs: two, Steal: 0.03}, results.Environment{}, "the hypervisor took 3.0 %")
	check(Noise{CPUs: two, Others: 1.2}, results.Environment{}, "other processes use 1.2 processors")
	check(Noise{CPUs: []CPUNoise{{Lost: 0.1}, {}}}, results.Environment{}, "was taken away for 10.0 %")
	check(Noise{CPUs: two}, results.Environment{Cgroup: results.Cgroup{CPUMax: 1.5}}, "a CPU quota of 1.5 for 2")
	check(Noise{CPUs: two}, results.Environment{CPU: results.CPUInfo{Governor: "powersave"}}, "set it to performance")
	check(Noise{CPUs: two, Forecasts: []gate.Forecast{{Metric: gate.CPU, Looks: []gate.Detectable{{Blocks: 24, Change: 0.2}}}}}, results.Environment{},
		"cpu: even 24 blocks find no less than 20 %")
	check(Noise{CPUs: two, VoidPairs: 0.86}, results.Environment{}, "86 % of the pairs of slices would be dropped")
}

// Where most blocks would be void nothing is promised, whatever the few pairs that are left say.
func TestNoiseWithoutHope(t *testing.T) {
	n := Noise{Forecasts: []gate.Forecast{{Metric: gate.CPU, SD: 0.1, Looks: []gate.Detectable{{Blocks: 24, Change: 0.2}}}}}
	for void, want := range map[float64]string{0.1: "with 24 blocks", 0.86: "a gate finds nothing here now: a block is void when more than 20 % of its pairs are"} {
		var b strings.Builder
		n.VoidPairs, n.Advice = void, nil
		n.advise(results.Environment{})
		if err := n.Text(&b); err != nil || !strings.Contains(b.String(), want) || strings.Contains(b.String(), "even 24 blocks") != (void < 0.2) {
			t.Errorf("%v: %s", err, &b)
		}
	}
}

// After a gate the process has its processors again, and Go as many.
func TestUnconfined(t *testing.T) {
	before, err := server.Allowed()
	if err != nil || len(before) < 2 {
		t.Skip("one processor: there is nothing to confine to")
	}
	if os.Getenv("GOMAXPROCS") != "" {
		t.Skip("GOMAXPROCS is set")
	}
	n := runtime.GOMAXPROCS(0)
	release, err := unconfined()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Confine(before[:1]); err != nil {
		t.Fatal(err)
	}
	runtime.SetDefaultGOMAXPROCS()
	if err := release(); err != nil {
		t.Fatal(err)
	}
	after, _ := server.Allowed()
	if !slices.Equal(before, after) || runtime.GOMAXPROCS(0) != n {
		t.Errorf("cpus %v, then %v; GOMAXPROCS %d, then %d", before, after, n, runtime.GOMAXPROCS(0))
	}
}
