package page

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/gate"
	"github.com/shardlab/shardlab/analysis/plots"
	"github.com/shardlab/shardlab/results"
)

// Run is one run as a page shows it.
type Run struct {
	Report   *analysis.Report
	Manifest results.Manifest
	Figures  []plots.Figure
	Left     []string      // why figures that others have are not there, a line each
	Verdict  *gate.Verdict // of a gate; nil for other runs
}

// Page is what is written.
type Page struct {
	Runs   []Run
	Beside []Link // other runs, where the page is served; none in a file
}

// Link is another run.
type Link struct{ ID, Href, About string }

//go:embed page.html
var source string

//go:embed page.css
var style string

//go:embed page.js
var script string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"css": func() template.CSS { return template.CSS(style) },
	"js":  func() template.JS { return template.JS(script) },
}).Parse(source))

// Write writes the page.
func (p Page) Write(w io.Writer) error {
	v := view{Beside: p.Beside, Title: "shardlab report"}
	if len(p.Runs) == 1 {
		v.Title = p.Runs[0].Report.Run.Scenario + " · shardlab report"
	}
	for i, r := range p.Runs {
		s, err := newSection(r, fmt.Sprintf("run%d", i+1))
		if err != nil {
			return err
		}
		v.Runs = append(v.Runs, s)
		for _, a := range r.Report.Arms {
			if !slices.ContainsFunc(v.Arms, func(x swatch) bool { return x.Name == a }) {
				colour, dash := plots.Line(r.Report.Arms, a)
				v.Arms = append(v.Arms, swatch{a, colour, dash})
			}
		}
	}
	var b bytes.Buffer // an error leaves no half of a page
	if err := page.Execute(&b, v); err != nil {
		return err
	}
	_, err := b.WriteTo(w)
	return err
}

type view struct {
	Title  string
	Arms   []swatch
	Runs   []section
	Beside []Link
}

// swatch is an arm with its line, as the figures draw it.
type swatch struct{ Name, Colour, Dash string }

// section is one run.
type section struct {
	Anchor   string
	Info     analysis.RunInfo
	Started  string
	Blocks   string
	Gate     *gateView
	Knee     table // without rows where nothing was searched
	Ranking  table // without rows for a gate, whose arms are no rivals
	Verdicts table
	Warnings []string
	Figures  []figure
	Left     []string
	Tables   []table
	Scaling  []string
	Facts    []fact
	Command  []string // words, none of which is broken at a hyphen
	Dirty    bool
	Source   string // the scenario's text
}

type figure struct {
	Anchor, Title string
	SVG           template.HTML
}

// fact has a value, or a command's words.
type fact struct {
	Name, Value string
	Command     []string
}

type gateView struct {
	Outcome, Meaning, Contaminated string
	Table                          table
	Notes                          []string
}

func newSection(r Run, anchor string) (section, error) {
	s := section{Anchor: anchor, Info: r.Report.Run, Left: r.Left, Source: r.Manifest.Scenario.Source,
		Started: r.Report.Run.Started.UTC().Format("2006-01-02 15:04:05 UTC"), Dirty: r.Manifest.Code.Dirty}
	s.Verdicts = verdictTable(r.Report)
	s.Knee, s.Ranking = kneeTable(r.Report.Knee), rankingTable(r.Report)
	for _, w := range r.Report.Warnings {
		s.Warnings = append(s.Warnings, string(w))
	}
	if r.Verdict != nil {
		s.Gate = newGate(r.Verdict)
	}
	for i, f := range r.Figures {
		svg, err := inline(f)
		if err != nil {
			return s, fmt.Errorf("figure %s: %w", f.Name, err)
		}
		s.Figures = append(s.Figures, figure{fmt.Sprintf("%s-figure%d", anchor, i+1), f.Title, svg})
	}
	for i := range r.Report.Points {
		s.Tables = append(s.Tables, pointTables(r.Report, &r.Report.Points[i])...)
	}
	for i := range r.Report.Scaling {
		x := &r.Report.Scaling[i]
		s.Scaling = append(s.Scaling, strings.TrimSpace(x.Where+" "+x.Arm)+": "+x.Text())
	}
	s.Facts, s.Command = facts(r.Manifest), command(r.Manifest)
	return s, nil
}

var prolog = regexp.MustCompile(`(?s)^.*?<svg width="[^"]*" height="[^"]*"`)

// inline is the figure as an element of the page, as wide as the page lets it be.
func inline(f plots.Figure) (template.HTML, error) {
	var b bytes.Buffer
	if err := f.SVG(&b); err != nil {
		return "", err
	}
	head := `<svg role="img" aria-label="` + template.HTMLEscapeString(f.Title) + `"`
	return template.HTML(prolog.ReplaceAllLiteralString(b.String(), head)), nil
}
