package results

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// modulePath is what go.mod must say for a checkout to be taken for the source of this program.
const modulePath = "github.com/shardlab/shardlab"

// Code says which program made the measurements. What is not known is empty: a revision is never guessed.
type Code struct {
	Version  string `json:"version,omitempty"`  // of the main module: "v1.2.3", or "(devel)"
	Revision string `json:"revision,omitempty"` // full git commit
	Branch   string `json:"branch,omitempty"`   // of the checkout, where it is still at Revision
	Dirty    bool   `json:"dirty,omitempty"`    // the source differed from Revision
	DiffHash string `json:"diff_sha256,omitempty"`
	VCSFrom  string `json:"vcs_from,omitempty"` // "build" (stamped into the executable) or "checkout" (current folder)

	GoVersion string            `json:"go"`
	GOAMD64   string            `json:"goamd64,omitempty"`
	LDFlags   string            `json:"ldflags,omitempty"`
	Settings  map[string]string `json:"build_settings,omitempty"` // debug.BuildInfo's, as they are
	Modules   []Module          `json:"modules,omitempty"`        // dependencies, by path

	ExeSHA256 string `json:"exe_sha256,omitempty"` // of the running executable
	ExeSize   int64  `json:"exe_size,omitempty"`   // bytes
}

// Module is one dependency that is linked in.
type Module struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Sum     string `json:"sum,omitempty"`
	Replace string `json:"replace,omitempty"` // "path@version" of what stands in for it
}

// Rev7 is the first seven digits of the revision, or "norev".
func (c Code) Rev7() string {
	if len(c.Revision) < 7 {
		return "norev"
	}
	return c.Revision[:7]
}

// CaptureCode describes the running executable. The revision is the one stamped in at build time; where there is none
// (go run, go test), that of the current folder's checkout, if it is a checkout of this module. It reads the
// executable once and may run git; it never fails, and takes at most a few seconds where git hangs.
func CaptureCode() Code {
	c := Code{GoVersion: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		c.readBuild(info)
	}
	c.readCheckout(".")
	c.ExeSHA256, c.ExeSize = hashExecutable()
	return c
}

func (c *Code) readBuild(info *debug.BuildInfo) {
	c.Version = info.Main.Version
	c.Settings = make(map[string]string, len(info.Settings))
	for _, s := range info.Settings {
		c.Settings[s.Key] = s.Value
	}
	c.GOAMD64 = buildSetting(info, "GOAMD64")
	c.LDFlags = buildSetting(info, "-ldflags")
	if rev := buildSetting(info, "vcs.revision"); rev != "" {
		c.Revision, c.VCSFrom = rev, "build"
		c.Dirty = buildSetting(info, "vcs.modified") == "true"
	}
	for _, d := range info.Deps {
		m := Module{Path: d.Path, Version: d.Version, Sum: d.Sum}
		if r := d.Replace; r != nil {
			m.Replace, m.Sum = r.Path+"@"+r.Version, r.Sum
		}
		c.Modules = append(c.Modules, m)
	}
	slices.SortFunc(c.Modules, func(a, b Module) int { return strings.Compare(a.Path, b.Path) })
}

// readCheckout adds what only a checkout can tell. Where the executable has its own revision, the checkout is heard
// only while it is at that revision: later commits say nothing about this binary.
func (c *Code) readCheckout(dir string) {
	g, ok := openCheckout(dir)
	if !ok {
		return
	}
	if c.Revision == "" {
		c.Revision, c.VCSFrom, c.Dirty = g.head, "checkout", g.dirty()
	}
	if c.Revision != g.head {
		return
	}
	c.Branch = g.branch()
	if c.Dirty {
		c.DiffHash = g.diffHash()
	}
}

func buildSetting(info *debug.BuildInfo, key string) string {
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// hashExecutable prefers /proc/self/exe, which stays the running file also after a rebuild has replaced it on disk.
func hashExecutable() (sum string, size int64) {
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		name, err := os.Executable()
		if err != nil {
			return "", 0
		}
		if f, err = os.Open(name); err != nil {
			return "", 0
		}
	}
	defer f.Close()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return "", 0
	}
	return hex.EncodeToString(h.Sum(nil)), size
}

// sortedKeys gives maps one order wherever they are written out.
func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
