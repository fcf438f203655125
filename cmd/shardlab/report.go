package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/analysis/page"
	"github.com/shardlab/shardlab/analysis/plots"
	"github.com/shardlab/shardlab/results"
)

// reportKinds are the figures of a report: six of every run, of those that it can carry.
var reportKinds = []string{"throughput", "latency", "load", "scaling", "matrix", "forest", "strip", "cost"}

func reportCommand() *cli.Command {
	return &cli.Command{
		Name:      "report",
		Usage:     "write runs as one HTML file that needs no network, or show them in a browser",
		ArgsUsage: "RUN…",
		Description: `RUN is a run directory, a run's id or the beginning of one, or "latest". The page has the verdicts first, then figures in which arms can
be hidden, tables that can be sorted, the environment and the command that makes the run again. It prints well.

With --serve the page and those of all runs beside it are shown at that address until Ctrl-C.

Examples:
  shardlab report latest
  shardlab report latest --reference multi-direct --out report.html
  shardlab report latest --serve 127.0.0.1:8080`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "out", Usage: "the file (default: report/index.html in the first run's directory)"},
			&cli.StringFlag{Name: "serve", Usage: "show it at this address, as in 127.0.0.1:8080, instead of writing a file"},
			&cli.StringFlag{Name: "reference", Usage: "the arm that the others are compared with (default: the first)"},
			resultsFlag(),
		},
		Action: report,
	}
}

func report(ctx context.Context, c *cli.Command) error {
	if err := wantArgs(c, 1, -1); err != nil {
		return err
	}
	if c.IsSet("serve") && c.IsSet("out") {
		return errors.New("--serve writes no file; give --out or --serve")
	}
	var runs []*results.Run
	for _, name := range c.Args().Slice() {
		run, err := openRun(c, name)
		if err != nil {
			return err
		}
		runs = append(runs, run)
	}
	if c.IsSet("serve") {
		return serveReport(ctx, c, runs)
	}
	html, err := pageOf(runs, c.String("reference"), nil)
	if err != nil {
		return err
	}
	path := c.String("out")
	if path == "" {
		path = filepath.Join(runs[0].Dir, "report", "index.html")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(path, html, 0o644); err != nil {
		return err
	}
	fmt.Fprintln(c.Root().Writer, path)
	return nil
}

// pageOf makes the page of runs.
func pageOf(runs []*results.Run, reference string, beside []page.Link) ([]byte, error) {
	p := page.Page{Beside: beside}
	for _, run := range runs {
		r, err := reportOf(run, reference)
		if err != nil {
			return nil, err
		}
		x := page.Run{Report: r, Manifest: run.Manifest, Verdict: verdictOf(run)}
		d := figureData(run, r)
		for _, name := range reportKinds {
			figures, err := figuresOf(d, []string{name}, true)
			if unfit := plots.Unfit(""); errors.As(err, &unfit) {
				x.Left = append(x.Left, fmt.Sprintf("No figure of kind %s: %s.", name, string(unfit)))
				continue
			}
			if err != nil {
				return nil, err
			}
			x.Figures = append(x.Figures, figures...)
		}
		p.Runs = append(p.Runs, x)
	}
	var b bytes.Buffer
	err := p.Write(&b)
	return b.Bytes(), err
}

// serveReport shows the page at / and every run beside at /run/ID, made when it is asked for, until ctx ends.
func serveReport(ctx context.Context, c *cli.Command, runs []*results.Run) error {
	l, err := net.Listen("tcp", c.String("serve"))
	if err != nil {
		return err
	}
	s := &http.Server{Handler: reportHandler(runs, c.String("reference")), ReadHeaderTimeout: 10 * time.Second}
	fmt.Fprintf(c.Root().Writer, "http://%s/\n", l.Addr())
	fmt.Fprintln(c.Root().ErrWriter, "Ctrl-C ends")
	done := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		done <- s.Shutdown(grace)
	})
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return err
	}
	return <-done
}

func reportHandler(runs []*results.Run, reference string) http.Handler {
	root := filepath.Dir(runs[0].Dir)
	show := func(w http.ResponseWriter, runs []*results.Run, reference string) {
		html, err := pageOf(runs, reference, runsBeside(root, runs))
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(html)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { show(w, runs, reference) })
	mux.HandleFunc("GET /run/{id}", func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		if ids, err := results.List(root); err != nil || !slices.Contains(ids, id) { // so that no path leads out of root
			http.NotFound(w, r)
			return
		}
		run, err := results.OpenIn(root, filepath.Join(root, id))
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		show(w, []*results.Run{run}, "")
	})
	return mux
}

// runsBeside are the runs of a folder, the newest first, without those that are shown.
func runsBeside(root string, shown []*results.Run) (links []page.Link) {
	ids, _ := results.List(root)
	slices.Reverse(ids)
	for _, id := range ids {
		if slices.ContainsFunc(shown, func(r *results.Run) bool { return filepath.Base(r.Dir) == id }) {
			continue
		}
		about := ""
		if parts := strings.SplitN(id, "-", 3); len(parts) == 3 {
			about, _, _ = strings.Cut(parts[2], "-")
		}
		links = append(links, page.Link{ID: id, Href: "/run/" + id, About: about})
	}
	return links
}
