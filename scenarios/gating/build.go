package gating

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/shardlab/shardlab/scenarios"
)

// Builder makes binaries and keeps them in a directory of its own, so that several gates need build but once.
type Builder struct {
	dir     string
	command []string // with {bin} and perhaps {layout}
	made    map[build]string
	log     func(string)
}

// NewBuilder makes a Builder with a new temporary directory. log is told what is built. Call Close at the end.
func NewBuilder(command []string, log func(string)) (*Builder, error) {
	dir, err := os.MkdirTemp("", "shardlab-gate-")
	return &Builder{dir: dir, command: command, made: map[build]string{}, log: log}, err
}

// Dir is the builder's directory; others may put things there that end with it.
func (b *Builder) Dir() string { return b.dir }

// Close takes the directory away.
func (b *Builder) Close() error { return os.RemoveAll(b.dir) }

// build names a binary: of a source, in a layout; 0 is the linker's own.
type build struct {
	source Source
	layout int
}

// one is the build under its only name: a binary has the layout that it has.
func (x build) one() build {
	if x.source.Bin != "" {
		x.layout = 0
	}
	return x
}

// binary makes the build if it is not there yet, and returns its path.
func (b *Builder) binary(ctx context.Context, x build) (string, error) {
	x = x.one()
	if path, ok := b.made[x]; ok {
		return path, nil
	}
	path := filepath.Join(b.dir, "build-"+strconv.Itoa(len(b.made)))
	var err error
	if x.source.Bin != "" {
		err = copyFile(path, x.source.Bin)
	} else {
		err = b.make(ctx, x, path)
	}
	if err != nil {
		return "", err
	}
	b.made[x] = path
	return path, nil
}

func (b *Builder) make(ctx context.Context, x build, path string) error {
	if len(b.command) == 0 {
		return errors.New("build: is missing in the gate file; write how the server is built, as in " +
			`build: [go, build, -trimpath, "-ldflags=-randlayout={layout}", -o, "{bin}", ./cmd/server]`)
	}
	fill := strings.NewReplacer(scenarios.BinMark, path, scenarios.LayoutMark, strconv.Itoa(x.layout))
	argv := make([]string, len(b.command))
	for i, a := range b.command {
		argv[i] = fill.Replace(a)
	}
	b.log(fmt.Sprintf("building %s%s", x.source.Revision, inLayout(x.layout)))
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = x.source.Dir
	temp := filepath.Join(b.dir, "tmp") // ends with us: what is interrupted, go build for one, may leave its files
	if err := os.MkdirAll(temp, 0o755); err != nil {
		return err
	}
	cmd.Env = append(os.Environ(), "TMPDIR="+temp, "GOTMPDIR="+temp)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := runGroup(ctx, cmd)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return &BuildError{x.source.Revision, said(err, out.Bytes()), out.String()}
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("build %s: the command has made no file %s", x.source.Revision, scenarios.BinMark)
	}
	return nil
}

// runGroup runs a command, which belongs to ctx, with all that it starts: when ctx is done they are interrupted, which lets them
// take their files away, and after a while killed. What the command has left running does not hold us up.
func runGroup(ctx context.Context, cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = stopDelay
	err := cmd.Run()
	if ctx.Err() != nil && cmd.Process != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	return err
}

func inLayout(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", layout %d", n)
}

// BuildError is a build command that went wrong.
type BuildError struct {
	Revision string
	Err      error
	Output   string // all that the command has said
}

func (e *BuildError) Error() string { return fmt.Sprintf("build %s: %v", e.Revision, e.Err) }
func (e *BuildError) Unwrap() error { return e.Err }

// place makes path the same file as bin.
func place(path, bin string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Link(bin, path)
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if info, err := in.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.Join(fmt.Errorf("%s is no file; give a binary", from), err)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// sum is a file's SHA-256 in hexadecimal.
func sum(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
