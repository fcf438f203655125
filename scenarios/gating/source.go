package gating

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Source is where a build comes from: a tree that is built, or a binary as it is.
type Source struct {
	Dir      string // where the build command runs
	Bin      string // a binary; then nothing is built
	Revision string // for people: "3f2c1e0", "3f2c1e0 and changes"; or the binary's file name
}

// Trees are the two sides of a gate in a checkout.
type Trees struct {
	Base, Head Source
	top, tree  string // of the checkout, and of the worktree
}

// CheckOut finds what to compare: the working tree around dir, and revision rev of it in a worktree of its own under
// temp. Where rev is "", base is where the work began: the merge base with the main branch, or when that is HEAD
// itself, HEAD under changes and else HEAD's parent. Call Close at the end.
func CheckOut(ctx context.Context, dir, rev, temp string) (*Trees, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
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
	changes, err := git(ctx, dir, "status", "--porcelain", "--untracked-files=normal")
	if err != nil {
		return nil, err
	}
	base, err := baseOf(ctx, dir, rev, head, changes != "")
	if err != nil {
		return nil, err
	}
	if base == head && changes == "" {
		return nil, fmt.Errorf("base is %s and so is the working tree: there is nothing to compare; give --base REV", short(base))
	}
	inside, err := filepath.Rel(top, dir)
	if err != nil {
		return nil, err
	}
	t := &Trees{top: top, tree: filepath.Join(temp, "base-tree")}
	if _, err := git(ctx, top, "worktree", "add", "--detach", "--quiet", t.tree, base); err != nil {
		return nil, err
	}
	t.Base = Source{Dir: filepath.Join(t.tree, inside), Revision: short(base)}
	t.Head = Source{Dir: dir, Revision: short(head)}
	if changes != "" {
		t.Head.Revision += " and changes"
	}
	if info, err := os.Stat(t.Base.Dir); err != nil || !info.IsDir() {
		return nil, errors.Join(fmt.Errorf("%s has no directory %s; give a later --base REV", short(base), inside), t.Close())
	}
	return t, nil
}

// baseOf is the commit to compare with.
func baseOf(ctx context.Context, dir, rev, head string, changes bool) (string, error) {
	if rev != "" {
		base, err := git(ctx, dir, "rev-parse", "--verify", "--end-of-options", rev+"^{commit}")
		if err != nil {
			return "", fmt.Errorf("--base %s: %w", rev, err)
		}
		return base, nil
	}
	const all = "origin/HEAD origin/main origin/master main master"
	for _, branch := range strings.Fields(all) {
		if _, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", branch+"^{commit}"); err != nil {
			continue
		}
		base, err := git(ctx, dir, "merge-base", "HEAD", branch)
		switch {
		case err != nil:
			return "", fmt.Errorf("HEAD and %s have no common commit here; fetch the whole history (git fetch --unshallow), or give --base REV", branch)
		case base != head || changes:
			return base, nil
		}
		if base, err = git(ctx, dir, "rev-parse", "--verify", "--quiet", "HEAD^"); err != nil {
			return "", errors.New("HEAD has no parent here; fetch more of the history, or give --base REV")
		}
		return base, nil
	}
	return "", fmt.Errorf("there is none of the branches %s to compare with; give --base REV", strings.Join(strings.Fields(all), ", "))
}

// Close takes the worktree away.
func (t *Trees) Close() error {
	_, err := git(context.Background(), t.top, "worktree", "remove", "--force", t.tree)
	return err
}

func short(commit string) string { return commit[:min(7, len(commit))] }

// git runs one command and returns its output.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.fsmonitor=false"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], said(err, stderr.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}

// said is a command's last line on standard error, or else how it ended.
func said(err error, stderr []byte) error {
	lines := bytes.Split(bytes.TrimSpace(stderr), []byte{'\n'})
	if last := bytes.TrimSpace(lines[len(lines)-1]); len(last) > 0 {
		return errors.New(string(last))
	}
	return err
}
