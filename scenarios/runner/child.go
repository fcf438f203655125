package runner

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// How long a child may take to serve, and to end after SIGTERM before it is killed.
const (
	startTimeout = 15 * time.Second
	stopTimeout  = 5 * time.Second
)

// hostVerb is the verb of this program that serves as serve does and runs clients in its own process; see Host.
const hostVerb = "host"

// child is a server process.
type child struct {
	cmd    *exec.Cmd
	addr   string   // public address
	direct []string // direct shard ports, by shard
	web    string   // address of HTTP
	host   net.Conn // orders to the clients in its process; nil if it is no host
	exited chan struct{}
	err    error // why it ended; set before exited is closed
	stderr *tail
}

// startTopology runs `shardlab serve` and reads the addresses it prints; direct says that shard ports are among them, and
// --http in argv that HTTP's is.
func startTopology(ctx context.Context, s *spawner, argv []string, direct bool, cpus []int) (*child, error) {
	c := newChild(argv)
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if argv[1] == hostVerb {
		theirs := (*os.File)(nil)
		if c.host, theirs, err = socketPair(); err != nil {
			return nil, err
		}
		defer theirs.Close()
		c.cmd.Stdin = theirs
	}
	if err := s.start(c.cmd, cpus); err != nil {
		if c.host != nil {
			c.host.Close()
		}
		return nil, err
	}
	lines := make(chan string, 3)
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(lines)
		sc := bufio.NewScanner(out)
		sc.Buffer(nil, 1<<20)
		for n := 0; sc.Scan(); n++ {
			if n < cap(lines) {
				lines <- sc.Text()
			}
		}
	}()
	c.reap(read)
	return c, c.readAddresses(ctx, lines, direct, slices.Contains(argv, "--http"))
}

func (c *child) readAddresses(ctx context.Context, lines <-chan string, direct, web bool) error {
	deadline := time.After(startTimeout)
	next := func() (string, error) {
		select {
		case line, ok := <-lines:
			if !ok {
				<-c.exited
				return "", fmt.Errorf("%s ended before it served: %w", c.name(), c.ended())
			}
			return line, nil
		case <-ctx.Done():
			return "", ctx.Err()
		case <-deadline:
			c.kill()
			return "", fmt.Errorf("%s did not serve within %v", c.name(), startTimeout)
		}
	}
	line, err := next()
	if err != nil {
		return err
	}
	c.addr = line
	if direct {
		if line, err = next(); err != nil {
			return err
		}
		c.direct = strings.Fields(line)[1:]
	}
	if web {
		if line, err = next(); err != nil {
			return err
		}
		c.web = strings.TrimPrefix(line, "http ")
	}
	return nil
}

// startReference runs a server that we did not write on a port that was free a moment ago, and waits until it accepts.
// The port may be taken in between: then the server ends, and another port is tried.
func startReference(ctx context.Context, s *spawner, command []string, cpus []int) (*child, error) {
	var err error
	for range 3 {
		var c *child
		if c, err = startReferenceOnce(ctx, s, command, cpus); err == nil {
			return c, nil
		}
		if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) { // it runs, and listens elsewhere: another port would not help
			break
		}
	}
	return nil, err
}

func startReferenceOnce(ctx context.Context, s *spawner, command []string, cpus []int) (*child, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	argv := make([]string, len(command))
	for i, a := range command {
		argv[i] = strings.ReplaceAll(a, "{port}", port)
	}
	c := newChild(argv)
	c.addr = net.JoinHostPort("127.0.0.1", port)
	if err := s.start(c.cmd, cpus); err != nil {
		return nil, err
	}
	c.reap(nil)
	if err := c.waitAccepting(ctx); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

func (c *child) waitAccepting(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		var d net.Dialer
		if nc, err := d.DialContext(ctx, "tcp", c.addr); err == nil {
			nc.Close()
			return nil
		}
		select {
		case <-c.exited:
			return fmt.Errorf("%s ended before it served: %w", c.name(), c.ended())
		case <-ctx.Done():
			return fmt.Errorf("%s does not accept connections at %s within %v: %w%s", c.name(), c.addr, startTimeout, ctx.Err(), c.lastWords())
		case <-retry.C:
		}
	}
}

func newChild(argv []string) *child {
	c := &child{cmd: exec.Command(argv[0], argv[1:]...), exited: make(chan struct{}), stderr: &tail{}}
	c.cmd.Stderr = c.stderr
	// What an arm is, its command line says: options that happen to be set around us must not leak into it.
	c.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "SHARDLAB_") })
	c.cmd.WaitDelay = time.Second // a grandchild may hold standard error open for longer than we care
	return c
}

// reap waits for the process in the background, once whatever reads its output is done.
func (c *child) reap(outputRead <-chan struct{}) {
	go func() {
		if outputRead != nil {
			<-outputRead
		}
		c.err = c.cmd.Wait()
		if c.host != nil {
			c.host.Close()
		}
		close(c.exited)
	}()
}

func (c *child) pid() int { return c.cmd.Process.Pid }

func (c *child) name() string { return c.cmd.Args[0] }

// ended says why the process ended, with the last it said. exited must be closed.
func (c *child) ended() error {
	err := c.err
	if err == nil {
		err = errors.New("exit status 0")
	}
	return fmt.Errorf("%w%s", err, c.lastWords())
}

// lastWords is why a Go program says that it crashes, or else the last line of what the process has said, behind a colon, if it has said
// anything.
func (c *child) lastWords() string {
	if text := c.stderr.lastWords(); text != "" {
		return ": " + text
	}
	return ""
}

// stop asks the process and whatever it has started to end, waits, and kills them if they do not.
func (c *child) stop() { c.stopWithin(stopTimeout) }

func (c *child) stopWithin(patience time.Duration) {
	c.signal(syscall.SIGTERM)
	select {
	case <-c.exited:
	case <-time.After(patience):
		c.kill()
	}
}

func (c *child) kill() {
	c.signal(syscall.SIGKILL)
	<-c.exited
}

// signal reaches the whole process group: a reference may be a script that starts the server.
func (c *child) signal(sig syscall.Signal) { syscall.Kill(-c.pid(), sig) }

func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	return port, err
}

// tail keeps the last bytes written to it, and the last line with which the runtime of Go begins a crash: the traces of goroutines that
// follow are longer than any tail.
type tail struct {
	mu    sync.Mutex
	buf   []byte
	crash string
}

var _ io.Writer = (*tail)(nil)

func (t *tail) Write(p []byte) (int, error) {
	const keep = 4 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	for _, line := range bytes.SplitAfter(t.buf, []byte{'\n'}) {
		if whole := bytes.HasSuffix(line, []byte{'\n'}); whole && (bytes.HasPrefix(line, []byte("panic: ")) || bytes.HasPrefix(line, []byte("fatal error: "))) {
			t.crash = string(bytes.TrimSpace(line))
		}
	}
	if over := len(t.buf) - keep; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) lastWords() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.crash != "" {
		return t.crash
	}
	lines := bytes.Split(bytes.TrimSpace(t.buf), []byte{'\n'})
	return string(lines[len(lines)-1])
}
