package gating

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Source is where a build comes from: a tree that is built, or a binary as it is.
type Source struct {
	Dir      string // where the build command runs
	Bin      string // a binary; then nothing is built
	Revision string // for people: "3f2c1e0", "3f2c1e0 and changes"; or the binary's file name
	Commit   string // in full; "" of a binary
	Changes  bool   // the tree differs from it
}

// Trees are the two sides of a gate in a checkout.
type Trees struct {
	Base, Head Source
	top, tree  string // of the checkout, and of the worktree
}

// CheckOut finds what to compare: the working tree around dir, and revision rev of it in a worktree of its own under
// temp. Where rev is "", base is where the work began: the merge base with the branch that a pull request is for, or with
// the main branch, or when that is HEAD itself, HEAD under changes and else HEAD's parent. Untracked files in outputs, which
// are what a gate writes, are no changes: else a second gate of a clean main branch would compare HEAD with itself. Call
// Close at the end.
func CheckOut(ctx context.Context, dir, rev, temp string, outputs ...string) (*Trees, error) {
	return checkOut(ctx, dir, temp, outputs, other{name: "base", remedy: "give --base REV", find: func(dir, head string, changes bool) (string, error) {
		return baseOf(ctx, dir, rev, head, changes)
	}})
}

// CheckOutAnchor is CheckOut with a fixed revision as base: the anchor of a gate file. What a gate appends to record is no change of the
// tree, though the file may be in git.
func CheckOutAnchor(ctx context.Context, dir, anchor, record, temp string, outputs ...string) (*Trees, error) {
	return checkOut(ctx, dir, temp, outputs, other{name: "the anchor", remedy: "move the anchor", record: record, find: func(dir, _ string, _ bool) (string, error) {
		return anchorOf(ctx, dir, anchor)
	}})
}

// other is the revision that the working tree is compared with.
type other struct {
	name, remedy string // for errors: what it is, and what gives another
	record       string // a file that is no part of the tree; "" for none
	find         func(dir, head string, changes bool) (commit string, err error)
}

func checkOut(ctx context.Context, dir, temp string, outputs []string, o other) (*Trees, error) {
	dir, err := realPath(dir)
	if err != nil {
		return nil, err
	}
	top, err := git(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, fmt.Errorf("%w; a gate is for a git checkout, or give --base-bin and --head-bin", err)
	}
	head, err := git(ctx, dir, "rev-parse", "--verify", "HEAD")
	if err != nil {
		return nil, err
	}
	changes, err := changed(ctx, top, outputs, o.record)
	if err != nil {
		return nil, err
	}
	base, err := o.find(dir, head, changes)
	if err != nil {
		return nil, err
	}
	if base == head && !changes {
		return nil, fmt.Errorf("%s is %s and so is the working tree: there is nothing to compare; %s", o.name, short(base), o.remedy)
	}
	inside, err := filepath.Rel(top, dir)
	if err != nil {
		return nil, err
	}
	t := &Trees{top: top, tree: filepath.Join(temp, "base-tree")}
	if _, err := git(ctx, top, "worktree", "add", "--detach", "--quiet", t.tree, base); err != nil {
		t.Close() // what git had begun, if it has not taken that away itself
		return nil, err
	}
	t.Base = Source{Dir: filepath.Join(t.tree, inside), Revision: short(base), Commit: base}
	t.Head = Source{Dir: dir, Revision: short(head), Commit: head, Changes: changes}
	if changes {
		t.Head.Revision += " and changes"
	}
	if info, err := os.Stat(t.Base.Dir); err != nil || !info.IsDir() {
		return nil, errors.Join(fmt.Errorf("%s %s has no directory %s, a later one may; %s", o.name, short(base), inside, o.remedy), t.Close())
	}
	return t, nil
}

// anchorOf is the commit of an anchor, which must be one that stays.
func anchorOf(ctx context.Context, dir, anchor string) (string, error) {
	for _, kind := range []string{"refs/heads/", "refs/remotes/"} {
		if _, err := git(ctx, dir, "show-ref", "--verify", "--quiet", kind+anchor); err == nil {
			return "", fmt.Errorf("anchor: %s is a branch, which moves; write a commit or a tag", anchor)
		} else if ctx.Err() != nil {
			return "", err
		}
	}
	return commitOf(ctx, dir, anchor, "anchor:")
}

// commitOf is the commit that a revision names. what it is of begins the error.
func commitOf(ctx context.Context, dir, rev, what string) (string, error) {
	commit, err := git(ctx, dir, "rev-parse", "--verify", "--end-of-options", rev+"^{commit}")
	if err != nil {
		if ctx.Err() == nil {
			err = errors.New("no such revision here")
		}
		return "", fmt.Errorf("%s %s: %w%s", what, rev, err, ifShallow(ctx, dir))
	}
	return commit, nil
}

// changed says whether the working tree differs from HEAD, leaving aside untracked files in outputs and whatever became of record.
func changed(ctx context.Context, top string, outputs []string, record string) (bool, error) {
	status, err := git(ctx, top, "status", "--porcelain", "-z", "--untracked-files=all")
	if err != nil {
		return false, err
	}
	ours, kept := []string{}, ""
	if path, err := realPath(record); record != "" && err == nil {
		kept = path
	}
	for _, out := range outputs {
		if path, err := realPath(out); out != "" && err == nil { // else it is not there yet
			ours = append(ours, path)
		}
	}
	for entry := range strings.SplitSeq(strings.TrimRight(status, "\x00"), "\x00") {
		name, untracked := strings.CutPrefix(entry, "?? ")
		path := filepath.Join(top, name)
		if untracked && slices.ContainsFunc(ours, func(out string) bool { return path == out || strings.HasPrefix(path, out+"/") }) {
			continue
		}
		_, tracked, _ := strings.Cut(strings.TrimLeft(entry, " "), " ") // the first entry has lost a blank that it began with
		if kept != "" && filepath.Join(top, tracked) == kept {
			continue
		}
		if entry != "" {
			return true, nil
		}
	}
	return false, nil
}

// realPath is the absolute path of what is there, without symbolic links, as git speaks of it.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// baseOf is the commit to compare with.
func baseOf(ctx context.Context, dir, rev, head string, changes bool) (string, error) {
	if rev != "" {
		return commitOf(ctx, dir, rev, "--base")
	}
	branches := []string{"origin/HEAD", "origin/main", "origin/master", "main", "master"}
	if target := os.Getenv("GITHUB_BASE_REF"); target != "" { // set for a pull request, whose branch may be for another than the main one
		branches = slices.Insert(branches, 0, "origin/"+target)
	}
	for _, branch := range branches {
		if _, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", branch+"^{commit}"); err != nil {
			continue
		}
		base, err := git(ctx, dir, "merge-base", "HEAD", branch)
		switch {
		case err != nil:
			return "", fmt.Errorf("HEAD and %s have no common commit here; fetch the whole history (git fetch --unshallow), or give --base REV%s",
				branch, ifShallow(ctx, dir))
		case base != head || changes:
			return base, nil
		}
		if base, err = git(ctx, dir, "rev-parse", "--verify", "--quiet", "HEAD^"); err != nil {
			return "", fmt.Errorf("HEAD has no parent here; fetch more of the history, or give --base REV%s", ifShallow(ctx, dir))
		}
		return base, nil
	}
	return "", fmt.Errorf("there is none of the branches %s to compare with; give --base REV%s", strings.Join(branches, ", "), ifShallow(ctx, dir))
}

// ifShallow says that most of the history is not there, where that is so, as in a checkout of GitHub Actions.
func ifShallow(ctx context.Context, dir string) string {
	if shallow, err := git(ctx, dir, "rev-parse", "--is-shallow-repository"); err != nil || shallow != "true" {
		return ""
	}
	return "; this clone is shallow: actions/checkout wants fetch-depth: 0, others git fetch --unshallow origin"
}

// Close takes the worktree away.
func (t *Trees) Close() error {
	_, err := git(context.Background(), t.top, "worktree", "remove", "--force", "--force", t.tree) // also one that is locked, being made
	return err
}

func short(commit string) string { return commit[:min(7, len(commit))] }

// git runs one command and returns its output. It is asked to end when ctx is done, not killed: a worktree that is half made
// would stay in the list of worktrees for ever.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.fsmonitor=false"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopDelay
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case interrupted(cmd): // by a Ctrl-C that we are about to hear of as well
		return "", context.Canceled
	case err != nil:
		return "", fmt.Errorf("git %s: %w", args[0], said(err, stderr.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}

// stopDelay is how long a command may take to end when it is asked to, before it is killed.
const stopDelay = 2 * time.Second

func interrupted(cmd *exec.Cmd) bool {
	if cmd.ProcessState == nil {
		return false
	}
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGINT
}

// said is a command's last line on standard error, or else how it ended.
func said(err error, stderr []byte) error {
	lines := bytes.Split(bytes.TrimSpace(stderr), []byte{'\n'})
	if last := bytes.TrimSpace(lines[len(lines)-1]); len(last) > 0 {
		return errors.New(string(last))
	}
	return err
}
