package results

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// gitTimeout bounds each call: a checkout on a dead network mount must not hold up a run.
const gitTimeout = 5 * time.Second

// checkout is a git work tree of this module, at commit head.
type checkout struct {
	top  string
	head string
}

// openCheckout finds the work tree around dir. It is refused where its go.mod is not ours: shardlab is often run
// inside some other project, whose revision would be a lie.
func openCheckout(dir string) (checkout, bool) {
	top, err := git(dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return checkout{}, false
	}
	mod, err := os.ReadFile(filepath.Join(top, "go.mod"))
	if name, _, _ := strings.Cut(entry(string(mod), "module"), " "); err != nil || name != modulePath {
		return checkout{}, false
	}
	head, err := git(top, "rev-parse", "--verify", "HEAD")
	if err != nil {
		return checkout{}, false
	}
	return checkout{top, head}, true
}

// branch is "" where HEAD is detached.
func (c checkout) branch() string {
	name, err := git(c.top, "symbolic-ref", "--short", "-q", "HEAD")
	if err != nil {
		return ""
	}
	return name
}

// dirty follows the go command's vcs.modified: an untracked file counts.
func (c checkout) dirty() bool {
	out, err := git(c.top, "status", "--porcelain")
	return err != nil || out != ""
}

// diffHash is the SHA-256 of "git diff HEAD" followed by the untracked files that a build could read, each by name and
// content. Two builds of one revision with equal hashes came from equal source.
func (c checkout) diffHash() string {
	h := sha256.New()
	diff, err := git(c.top, "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--binary", "HEAD")
	if err != nil {
		return ""
	}
	io.WriteString(h, diff)
	names, err := git(c.top, "ls-files", "--others", "--exclude-standard", "-z", "--",
		"*.go", "*.s", "*.yaml", "go.mod", "go.sum")
	if err != nil {
		return ""
	}
	for name := range strings.SplitSeq(names, "\x00") {
		if name == "" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(c.top, name))
		if err != nil {
			return ""
		}
		sum := sha256.Sum256(content)
		io.WriteString(h, "\x00"+name+"\x00"+hex.EncodeToString(sum[:]))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// git runs one read-only command and returns its output without surrounding space. It takes no locks, asks no
// questions and starts no file system monitor.
func git(dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), gitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.fsmonitor=false"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}
