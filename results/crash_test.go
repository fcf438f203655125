package results

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// crashRoot is set for the copy of the test binary that writes a run until it is killed.
const crashRoot = "RESULTS_CRASH_ROOT"

// crashWriter records slices, and now and then everything else, for ever. After each slice it says how many there are.
func crashWriter(root string) {
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	w, err := Create(root, "crash", testManifest())
	fail(err)
	for n := 0; ; n++ {
		s := testSlice("pipeline=1", "shared", n/50, n)
		fail(w.Slice(s))
		fmt.Println(n + 1)
		if n%50 == 49 {
			fail(w.Manifest(func(m *Manifest) { m.Order = append(m.Order, Visit{Block: n / 50}) }))
			fail(w.Histograms(BlockHistograms{Point: s.Point, Arm: s.Arm, Block: s.Block, Start: time.Now(),
				End: time.Now(), Response: map[string]*hdrhistogram.Histogram{"GET": testHistogram(1000, 10)}}))
			fail(w.Trial(Trial{Point: s.Point, Arm: s.Arm, Block: s.Block}))
		}
	}
}

func TestKilledRunKeepsWhatItHadWritten(t *testing.T) {
	for _, after := range []int{1, 120, 333} {
		t.Run(strconv.Itoa(after), func(t *testing.T) { killAfter(t, after) })
	}
}

func killAfter(t *testing.T, lines int) {
	root := t.TempDir()
	exe, err := os.Executable()
	must(t, err)
	child := exec.Command(exe)
	child.Env = append(os.Environ(), crashRoot+"="+root)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	said, killed := 0, false
	for sc := bufio.NewScanner(out); sc.Scan(); { // until the child is dead and the pipe drained
		if n, err := strconv.Atoi(sc.Text()); err == nil {
			said = n // a number cut short by the kill is smaller than it was, never larger
		}
		if said >= lines && !killed {
			killed = true
			must(t, child.Process.Kill())
		}
	}
	if err := child.Wait(); err == nil || !killed {
		t.Fatalf("the child ended by itself after %d slices: %v", said, err)
	}

	r, err := OpenIn(root, Latest)
	must(t, err)
	if len(r.Slices) < said {
		t.Errorf("%d slices were written, %d can be read", said, len(r.Slices))
	}
	for n, s := range r.Slices {
		if s.Slice != n || s.Block != n/50 || s.TotalOps() != 10*uint64(1000*(s.Block+1)+n) {
			t.Fatalf("slice %d came back as %+v", n, s)
		}
	}
	if r.Manifest.Status != Running || len(r.Warnings) == 0 {
		t.Errorf("status %q, warnings %v: nothing says that it broke off", r.Manifest.Status, r.Warnings)
	}
	if whole := said/50 - 1; whole > 0 { // the step after the last slice said may not have happened
		if len(r.Manifest.Order) < whole || len(r.Trials) < whole {
			t.Errorf("%d blocks ended, the manifest has %d, blocks.jsonl %d", whole, len(r.Manifest.Order), len(r.Trials))
		}
		h, err := r.Histogram("pipeline=1", "shared", "GET", Response)
		must(t, err)
		if h.TotalCount() < int64(10*whole) {
			t.Errorf("%d latencies of %d blocks of 10", h.TotalCount(), whole)
		}
	}
}
