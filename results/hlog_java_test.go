package results

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// javaHistogram is where Debian has HdrHistogram's own library.
const javaHistogram = "/usr/share/java/hdrhistogram.jar"

// TestHdrHistogramReadsOurLogs: its log processor finds as many values in our interval logs as we have put in, of all operations and of
// each, and the greatest of them.
func TestHdrHistogramReadsOurLogs(t *testing.T) {
	java, err := exec.LookPath("java")
	if _, missing := os.Stat(javaHistogram); err != nil || missing != nil {
		t.Skip("no java with HdrHistogram; install them with: apt-get install default-jre-headless libhdrhistogram-java")
	}
	root := t.TempDir()
	w := writeRun(t, root)
	must(t, w.Finish(Complete, nil))
	r, err := OpenIn(root, w.ID())
	must(t, err)
	log := hlogPath(w.Dir(), "pipeline=1", "shared", Response)
	for _, tag := range []string{"", "GET", "SET"} {
		out := filepath.Join(root, "processed"+tag)
		args := []string{"-cp", javaHistogram, "org.HdrHistogram.HistogramLogProcessor", "-i", log, "-o", out, "-outputValueUnitRatio", "1"}
		if tag != "" {
			args = append(args, "-tag", tag)
		}
		if said, err := exec.Command(java, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		text, err := os.ReadFile(out + ".hgrm")
		must(t, err)
		h, err := r.Histogram("pipeline=1", "shared", tag, Response)
		must(t, err)
		have := strings.Join(strings.Fields(string(text)), " ")
		if want := fmt.Sprintf("Total count = %d]", h.TotalCount()); !strings.Contains(have, want) {
			t.Errorf("%q: no %q in\n%s", tag, want, text)
		}
		if want := fmt.Sprintf("Max = %d.000,", h.Max()); !strings.Contains(have, want) {
			t.Errorf("%q: no %q in\n%s", tag, want, text)
		}
	}
}
