package web

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/shardlab/shardlab/server/wire"
)

// Caller executes batches of commands. One goroutine at a time uses it.
type Caller interface {
	// Exec answers every request of b in b.Out.
	Exec(b *wire.Batch) error
	Close()
}

// Options say what to serve and where. The zero value of a limit means its default.
type Options struct {
	Addr      string        // host:port; port 0 lets the kernel choose
	NewCaller func() Caller // opens an in-process session
	Password  func() string // what requests must show; "" asks for none. Nil: never
	MaxValue  int           // longest value, bytes; default 64 MiB
	MaxHeader int           // longest request line with all headers, bytes; default 16 KiB
	MaxConns  int           // most connections at once; default 4096
	// ReadTimeout is how long one request may take to arrive, WriteTimeout how long a response may take to leave, IdleTimeout how
	// long a connection may wait between requests. Defaults: 30 s, 30 s, 75 s.
	ReadTimeout, WriteTimeout, IdleTimeout time.Duration
	Log                                    *slog.Logger // nil: nothing is said
}

func (o Options) withDefaults() Options {
	set(&o.MaxValue, 64<<20)
	set(&o.MaxHeader, 16<<10)
	set(&o.MaxConns, 4096)
	set(&o.ReadTimeout, 30*time.Second)
	set(&o.WriteTimeout, 30*time.Second)
	set(&o.IdleTimeout, 75*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Password == nil {
		o.Password = func() string { return "" }
	}
	return o
}

func set[T int | time.Duration](p *T, def T) {
	if *p == 0 {
		*p = def
	}
}

// Stats are the server's counts.
type Stats struct {
	Conns     int64     // open now
	Accepted  uint64    // since the start, without the rejected
	Rejected  uint64    // for being above the limit
	Responses [6]uint64 // by the first digit of their status, 1 to 5; 100 Continue is not counted
}

// Server serves until Shutdown.
type Server struct {
	opts     Options
	http     *fasthttp.Server
	ln       *net.TCPListener
	sessions sessions
	running  sync.WaitGroup // the acceptor and the connections
	stopping chan struct{}  // closed by Shutdown
	draining atomic.Bool

	mu    sync.Mutex
	conns map[*conn]struct{}

	nconns    atomic.Int64
	accepted  atomic.Uint64
	rejected  atomic.Uint64
	responses [6]atomic.Uint64

	closeOnce sync.Once
	closeErr  error
}

// Start binds the address and serves.
func Start(opts Options) (*Server, error) {
	opts = opts.withDefaults()
	ln, err := net.Listen("tcp", opts.Addr)
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	s := &Server{opts: opts, ln: ln.(*net.TCPListener), stopping: make(chan struct{}), conns: map[*conn]struct{}{}}
	s.sessions.open = opts.NewCaller
	s.http = &fasthttp.Server{
		Handler:            s.handle,
		ErrorHandler:       s.malformed,
		Concurrency:        opts.MaxConns + 1, // ours comes first
		MaxRequestBodySize: opts.MaxValue,
		ReadBufferSize:     opts.MaxHeader,
		ReadTimeout:        opts.ReadTimeout,
		WriteTimeout:       opts.WriteTimeout,
		IdleTimeout:        opts.IdleTimeout,
		ConnState:          s.connState,
		// A body is a value, whatever its type says, and a value has no type.
		DisablePreParseMultipartForm: true,
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		Logger:                       logger{opts.Log},
	}
	s.running.Go(s.accept)
	return s, nil
}

// Addr is the address served.
func (s *Server) Addr() net.Addr { return s.ln.Addr() }

// Stats returns the counts.
func (s *Server) Stats() Stats {
	st := Stats{Conns: s.nconns.Load(), Accepted: s.accepted.Load(), Rejected: s.rejected.Load()}
	for i := range st.Responses {
		st.Responses[i] = s.responses[i].Load()
	}
	return st
}

// Shutdown stops accepting, answers the requests that have begun and closes every connection as it falls silent. When ctx ends
// first it cuts those that are left and returns the context's error. Then it closes its sessions. It may be called more than once.
func (s *Server) Shutdown(ctx context.Context) error {
	s.closeOnce.Do(func() {
		s.draining.Store(true)
		close(s.stopping)
		s.ln.Close()
		s.each((*conn).drain)
		ended := make(chan struct{})
		go func() {
			s.running.Wait()
			close(ended)
		}()
		select {
		case <-ended:
		case <-ctx.Done():
			s.each(func(c *conn) {
				s.closeErr = ctx.Err()
				c.TCPConn.Close()
			})
			<-ended
		}
		s.sessions.close()
	})
	return s.closeErr
}

// logger passes on what fasthttp has to say: mostly of clients that misbehave, so it is for those who look closely.
type logger struct{ log *slog.Logger }

func (l logger) Printf(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("http: " + fmt.Sprintf(format, args...))
	}
}
