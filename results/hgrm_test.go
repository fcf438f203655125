package results

import (
	"strings"
	"testing"
)

// TestHGRM: every percentile that is there has ten values beyond it, but the maximum; and the file is whole.
func TestHGRM(t *testing.T) {
	h := NewHistogram()
	for i := range 2000 {
		h.RecordValue(int64(1000 * (i + 1)))
	}
	var b strings.Builder
	if err := WriteHGRM(&b, h); err != nil {
		t.Fatal(err)
	}
	out := b.String()
	for _, want := range []string{"Value", "Percentile", "TotalCount", " 0.990625", " 1.000000", "2000.", "#[Mean", "#[Max", "#[Buckets"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, " 0.996") || strings.Contains(out, " 0.999") {
		t.Errorf("a percentile with fewer than ten values beyond it in\n%s", out)
	}
}
