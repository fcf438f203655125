package admin

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options say what to show and where.
type Options struct {
	Addr string // host:port; port 0 lets the kernel choose
	// Public allows an address that other machines can reach.
	Public   bool
	Figures  func() Figures // may be called by several goroutines at once
	Ready    func() bool
	Password func() string // what pages need; "" for nothing
	Log      *slog.Logger  // nil: nothing is said
}

// Server serves the pages until Shutdown.
//
// It is Go's own HTTP server, not the fast one of the key front: the pages come as handlers for it, and are asked for
// a few times a minute.
type Server struct {
	opts    Options
	http    http.Server
	ln      net.Listener
	serving sync.WaitGroup
}

// Start binds the address and serves.
func Start(opts Options) (*Server, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if err := checkReach(opts); err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", opts.Addr)
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	s := &Server{opts: opts, ln: ln}
	s.http = http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       75 * time.Second, // no WriteTimeout: a profile may take as long as it was asked to
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(opts.Log.Handler(), slog.LevelDebug),
	}
	s.serving.Go(func() {
		if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			opts.Log.Error("admin: accept ended", "addr", ln.Addr(), "err", err)
		}
	})
	return s, nil
}

// checkReach refuses an address that other machines can reach, unless that is wanted.
func checkReach(opts Options) error {
	if opts.Public {
		return nil
	}
	addr, err := net.ResolveTCPAddr("tcp", opts.Addr)
	if err != nil {
		return fmt.Errorf("admin: %w", err)
	}
	if !addr.IP.IsLoopback() {
		return fmt.Errorf("admin: %s can be reached from other machines; use a loopback address, or --admin-public to mean it", opts.Addr)
	}
	return nil
}

// Registry returns a registry with everything that /metrics shows.
func Registry(figures func() Figures) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(&collector{figures}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

func (s *Server) handler() http.Handler {
	open, closed := http.NewServeMux(), http.NewServeMux()
	open.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	open.HandleFunc("GET /readyz", s.ready)
	open.Handle("/", s.guard(closed))
	closed.Handle("GET /metrics", promhttp.HandlerFor(Registry(s.opts.Figures), promhttp.HandlerOpts{
		MaxRequestsInFlight: 4, ErrorLog: slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelWarn)}))
	closed.HandleFunc("/debug/pprof/", pprof.Index)
	closed.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	closed.HandleFunc("/debug/pprof/profile", pprof.Profile)
	closed.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	closed.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return open
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if !s.opts.Ready() {
		http.Error(w, "draining", http.StatusServiceUnavailable)
		return
	}
	io.WriteString(w, "ready\n")
}

// guard asks for the password where there is one.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if want := s.opts.Password(); want != "" {
			_, shown, ok := r.BasicAuth()
			if !ok {
				shown, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			}
			if subtle.ConstantTimeCompare([]byte(shown), []byte(want)) != 1 {
				w.Header().Set("WWW-Authenticate", `Basic realm="shardlab"`)
				http.Error(w, "authentication required", http.StatusUnauthorized)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// Addr is the address served.
func (s *Server) Addr() net.Addr { return s.ln.Addr() }

// Shutdown finishes what is being answered; when ctx ends first it cuts what is left and returns the context's error.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		s.http.Close()
	}
	s.serving.Wait()
	return err
}
