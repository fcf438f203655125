package page

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/gate"
)

// browser starts headless Chromium, or skips where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no chromium: the page is not tried in a browser")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(60*time.Second))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// watch gathers what the page asks for and what it complains of.
func watch(t *testing.T, ctx context.Context) func() (requests, complaints []string) {
	t.Helper()
	if err := chromedp.Do(ctx); err != nil { // opens the tab
		t.Fatal(err)
	}
	var mu sync.Mutex
	var requests, complaints []string
	err := chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			requests = append(requests, e.Request.URL)
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			complaints = append(complaints, "console."+string(e.Type))
		case *log.EventEntryAdded:
			complaints = append(complaints, e.Entry.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err1 := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	_, err2 := chromedp.Call(ctx, log.Enable, cdp.Empty{})
	_, err3 := chromedp.Call(ctx, runtime.Enable, cdp.Empty{})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return func() ([]string, []string) {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(requests), slices.Clone(complaints)
	}
}

// eval is the value of an expression in the page.
func eval[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// open shows the made run's page on a phone.
func open(t *testing.T) (ctx context.Context, url string, seen func() (requests, complaints []string)) {
	t.Helper()
	ctx = browser(t)
	file := filepath.Join(t.TempDir(), "report.html")
	run := madeRun(t, "")
	run.Verdict = &gate.Verdict{Outcome: gate.Inconclusive, Rows: []gate.Row{{Point: "scenario=reads", Metric: gate.Throughput, Delta: 0.05, N: 23, Ratio: 0.98,
		Outcome: gate.Inconclusive, Interval: &analysis.Interval{Lo: 0.954, Hi: 1.008}, Meaning: "neither was shown: about 30 blocks would decide"}}}
	if err := os.WriteFile(file, []byte(written(t, Page{Runs: []Run{run}})), 0o644); err != nil {
		t.Fatal(err)
	}
	seen = watch(t, ctx)
	url = "file://" + file
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(390, 844), chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	return ctx, url, seen
}

// TestInABrowser opens the page as a file: it says nothing on the console, asks for nothing else, hides arms in figures and tables, and
// sorts by a click.
func TestInABrowser(t *testing.T) {
	ctx, url, seen := open(t)
	const visible = `Array.from(document.querySelectorAll('[data-arm="thread-local"]')).filter(e => e.getClientRects().length > 0).length`
	const box = `document.querySelector('#arms input[value="thread-local"]').click()`
	const off = `document.querySelectorAll('%s[data-arm="thread-local"].off').length`
	before := eval[int](t, ctx, visible)
	eval[chromedp.Void](t, ctx, box)
	hidden, rows, groups := eval[int](t, ctx, visible), eval[int](t, ctx, fmt.Sprintf(off, "tr")), eval[int](t, ctx, fmt.Sprintf(off, "g"))
	eval[chromedp.Void](t, ctx, box)
	again := eval[int](t, ctx, visible)
	if before == 0 || hidden != 0 || again != before || rows < 4 || groups < 4 {
		t.Errorf("of thread-local %d are seen, %d when it is hidden (%d rows, %d groups are off), %d when it is back", before, hidden, rows, groups, again)
	}

	// The first table is that of throughput and cost at the first point; its third column is throughput.
	const order = `Array.from(document.querySelectorAll("#run1-tables table")[0].tBodies[0].rows).map(r => r.cells[0].textContent).join(" ")`
	const head = `document.querySelectorAll("#run1-tables table")[0].tHead.rows[0].cells[2]`
	for i, want := range []string{"shared thread-local mine ", "shared mine thread-local ascending", "thread-local mine shared descending"} {
		if i > 0 {
			eval[chromedp.Void](t, ctx, head+`.firstElementChild.click()`)
		}
		if got := eval[string](t, ctx, order+` + " " + (`+head+`.getAttribute("aria-sort") || "")`); got != want {
			t.Errorf("after %d clicks rows are %q, want %q", i, got, want)
		}
	}
	requests, complaints := seen()
	for _, r := range requests {
		if r != url && !strings.HasPrefix(r, "data:") {
			t.Errorf("the page asks for %s", r)
		}
	}
	if len(requests) == 0 {
		t.Error("no request was seen, not even that of the page: the watch does not work")
	}
	if len(complaints) > 0 {
		t.Errorf("the console has %q", complaints)
	}
}

// fits fails where the page is wider than the window: it would scroll sideways, or be cut off.
func fits(t *testing.T, ctx context.Context, on string) {
	t.Helper()
	const width = `[document.documentElement.scrollWidth, document.documentElement.clientWidth]`
	if w := eval[[2]int](t, ctx, width); w[0] > w[1] || w[1] == 0 {
		t.Errorf("on %s of %d pixels the page is %d wide", on, w[1], w[0])
	}
}

// TestOnAPhone: the page does not scroll sideways, sentences have the whole width, and the arms that may be hidden stand in one line.
func TestOnAPhone(t *testing.T) {
	ctx, _, _ := open(t)
	fits(t, ctx, "a phone")
	const narrow = `Array.from(document.querySelectorAll("td.text")).filter(e => e.textContent && e.clientWidth < 0.8 * window.innerWidth).length`
	if n, of := eval[int](t, ctx, narrow), eval[int](t, ctx, `document.querySelectorAll("td.text").length`); n > 0 || of == 0 {
		t.Errorf("%d of %d sentences stand in a narrow column", n, of)
	}
	const cut = `Array.from(document.querySelectorAll(".stack")).filter(e => e.scrollWidth > e.clientWidth).length`
	if n := eval[int](t, ctx, cut); n > 0 {
		t.Errorf("%d tables of sentences are wider than the phone", n)
	}
	if n := eval[string](t, ctx, `getComputedStyle(document.querySelectorAll(".stack td.n")[2], "::before").content`); n != `"n "` {
		t.Errorf("the number of blocks is named %s", n)
	}
	eval[chromedp.Void](t, ctx, `for (let i = 0; i < 9; i++) document.getElementById("arms").append(document.querySelector("#arms label").cloneNode(true))`)
	fits(t, ctx, "a phone, with twelve arms,")
	if h := eval[float64](t, ctx, `document.getElementById("arms").getBoundingClientRect().height`); h < 40 || h > 80 {
		t.Errorf("the line of arms is %g pixels high", h)
	}
}

// TestOnPaper: on a sheet between its margins nothing is cut off, what is to be clicked is not there, and what is folded is printed.
func TestOnPaper(t *testing.T) {
	ctx, _, _ := open(t)
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	if err := errors.Join(err, chromedp.Do(ctx, chromedp.EmulateViewport(718, 1047))); err != nil { // A4 less 1 cm on each side
		t.Fatal(err)
	}
	fits(t, ctx, "paper")
	const cut = `Array.from(document.querySelectorAll("figure, .scroll, pre")).filter(e => e.scrollWidth > e.clientWidth + 1).length`
	if n := eval[int](t, ctx, cut); n > 0 {
		t.Errorf("%d figures or tables are wider than the paper", n)
	}
	const shown = `Array.from(document.querySelectorAll("#arms, .screen")).filter(e => e.getClientRects().length > 0).length`
	if n, of := eval[int](t, ctx, shown), eval[int](t, ctx, `document.querySelectorAll("#arms, .screen").length`); n > 0 || of < 2 {
		t.Errorf("of %d things for a screen %d are on paper", of, n)
	}
	const open = `document.querySelectorAll("details[open]").length`
	for i, event := range []string{"afterprint", "beforeprint", "afterprint"} {
		eval[chromedp.Void](t, ctx, `dispatchEvent(new Event("`+event+`"))`)
		if n, want := eval[int](t, ctx, open), i%2; n != want {
			t.Errorf("after %s %d texts are unfolded, want %d", event, n, want)
		}
	}
}

// TestTheWatchSeesErrors: a page that fails is noticed, or the test above says nothing.
func TestTheWatchSeesErrors(t *testing.T) {
	ctx, _, seen := open(t)
	eval[chromedp.Void](t, ctx, `console.error("told"), document.body.appendChild(document.createElement("img")).src = "http://127.0.0.1:9/x.png"`)
	// The policy refuses the image with a complaint of its own; the browser reports both before it answers.
	for len(complaintsOf(seen)) < 2 && ctx.Err() == nil {
		eval[int](t, ctx, `1`)
	}
	if c := complaintsOf(seen); len(c) < 2 {
		t.Errorf("of a message and a refused image the watch saw %q", c)
	}
}

func complaintsOf(seen func() (requests, complaints []string)) []string {
	_, c := seen()
	return c
}
