package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts")

// The test binary stands in for shardlab: in scripts, for the tests below, and for the servers that a run starts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"shardlab": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			published, err := filepath.Abs("../../results/published")
			env.Setenv("PUBLISHED", published)
			return err
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":   exits,
			"serving": serving,
		},
	})
}

// exits CODE[|CODE] COMMAND ARG... runs a command and demands its exit code. A run on a busy machine may end with 3, for
// measurements that are invalid: that is a right answer.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG...")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if !slices.Contains(strings.Split(args[0], "|"), strconv.Itoa(got)) {
		ts.Fatalf("%s exits %d, not %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// serving NAME ARG... starts `shardlab serve --bind 127.0.0.1:0 ARG...` until the end of the script, and puts the address that it
// prints into the variable NAME; that of a line "http ADDRESS" goes into NAME_http.
func serving(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: serving NAME ARG...")
	}
	cmd := exec.Command("shardlab", append([]string{"serve", "--bind", "127.0.0.1:0"}, args[1:]...)...)
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() { cmd.Process.Kill(); cmd.Wait() })
	lines := bufio.NewReader(out)
	addr, err := lines.ReadString('\n')
	ts.Check(err)
	ts.Setenv(args[0], strings.TrimSpace(addr))
	if slices.Contains(args, "--http") {
		web, err := lines.ReadString('\n')
		ts.Check(err)
		ts.Setenv(args[0]+"_http", strings.TrimSpace(strings.TrimPrefix(web, "http ")))
	}
}

// Every verb explains itself with examples.
func TestEveryVerbHasExamples(t *testing.T) {
	verbs := []string{"run", "load", "serve", "list", "plot", "compare", "report", "gate", "trend", "noise", "export", "schema", "version"}
	for _, verb := range verbs {
		var out, errOut strings.Builder
		if code := run(t.Context(), []string{"shardlab", verb, "--help"}, &out, &errOut); code != 0 {
			t.Errorf("%s --help exits %d: %s", verb, code, errOut.String())
		}
		if !strings.Contains(out.String(), "Examples:") || !strings.Contains(out.String(), "shardlab "+verb) {
			t.Errorf("%s --help has no examples:\n%s", verb, out.String())
		}
	}
}

// Every format has a schema that is JSON: a type that holds itself would have none.
func TestEveryFormatHasASchema(t *testing.T) {
	for _, f := range formats {
		var out, errOut strings.Builder
		if code := run(t.Context(), []string{"shardlab", "schema", f.name}, &out, &errOut); code != 0 || !json.Valid([]byte(out.String())) {
			t.Errorf("schema %s exits %d: %s", f.name, code, errOut.String())
		}
	}
}
