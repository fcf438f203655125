package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mayImport says which of our packages each one may import. Imports point down; the seam between store and server is in
// server/command and topologies, and nowhere else. A package that is not listed here has no place yet.
var mayImport = map[string][]string{
	"store":       {},
	"server/wire": {},
	"scenarios":   {},
	"results":     {},
	"server":      {"server/wire"},
	// A client, for whoever talks to a server.
	"server/wire/scnp": {"server/wire"},
	"server/web":       {"server/wire"},
	"server/admin":     {},
	"server/command":   {"server/wire", "store"},
	"topologies":       {"server", "server/admin", "server/command", "server/web", "server/wire", "store"},
	"loadgen":          {"server/wire"},
	"analysis":         {"results", "analysis/series"},
	"analysis/gate":    {"analysis", "results"},
	"analysis/plots":   {"analysis", "analysis/gate", "results"},
	"analysis/page":    {"analysis", "analysis/gate", "analysis/plots", "results"},
	// Values in time: pure, so that a run can look for the end of its warm-up with it.
	"analysis/series": {},
	// Pure: which rate to probe next, and what a probe has shown.
	"analysis/knee": {},
	// Made-up measurements for the tests of the two.
	"analysis/internal/synth": {"results"},
	"scenarios/runner": {"scenarios", "topologies", "server", "server/wire", "loadgen", "results", "analysis", "analysis/knee",
		"analysis/series"},
	"scenarios/gating": {"scenarios", "scenarios/runner", "server", "results", "analysis/gate"},
	"cmd/shardlab": {"scenarios", "scenarios/gating", "scenarios/runner", "topologies", "server", "results", "analysis",
		"analysis/gate", "analysis/page", "analysis/plots"},
}

func TestImportsPointDown(t *testing.T) {
	const module = "github.com/shardlab/shardlab/"
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		pkg := path.Dir(filepath.ToSlash(rel))
		allowed, known := mayImport[pkg]
		if !known {
			t.Errorf("%s: package %s has no place in the cut; see ARCHITECTURE.md", rel, pkg)
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range f.Imports {
			name, _ := strconv.Unquote(imp.Path.Value)
			if ours, ok := strings.CutPrefix(name, module); ok && !slices.Contains(allowed, ours) {
				t.Errorf("%s: package %s may not import %s", rel, pkg, ours)
			}
			if strings.HasPrefix(name, "gonum.org/v1/plot") && pkg != "analysis/plots" {
				t.Errorf("%s: gonum/plot belongs to analysis/plots", rel)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
