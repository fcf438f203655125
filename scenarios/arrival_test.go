package scenarios

import (
	"slices"
	"strings"
	"testing"
)

// loadOf resolves a scenario with these keys of the load.
func loadOf(t *testing.T, keys string) LoadPlan {
	t.Helper()
	s, err := Parse("x.yaml", []byte("name: x\nload: {mode: open, "+keys+"}\narms: [shared]\n"), Names{})
	if err != nil {
		t.Fatal(err)
	}
	return s.Points[0].Load
}

func TestArrivalFile(t *testing.T) {
	l := loadOf(t, "arrival: file, arrival_file: testdata/times.csv, arrival_column: at, arrival_speed: 2")
	if want := []int64{0, 499_999, 2_000_000}; !slices.Equal(l.ArrivalTimes, want) || l.Rate != 2000 {
		t.Errorf("times %v at %g/s, want %v at 2000/s", l.ArrivalTimes, l.Rate, want)
	}
	if text := l.LawText(); !strings.HasPrefix(text, "file(") || !strings.HasSuffix(text, " at speed 2)") {
		t.Errorf("law %s", text)
	}
}

func TestParseTime(t *testing.T) {
	for _, c := range []struct {
		text     string
		decimals int
		want     int64
	}{
		{"0", 9, 0}, {"1.5", 9, 15e8}, {"1700000000.123456789", 9, 1700000000123456789}, {"0.0000000019", 9, 1},
		{"7", 0, 7}, {"7.9", 0, 7}, {"2.25", 3, 2250}, {"9223372036.854775807", 9, 1<<63 - 1},
	} {
		if got, ok := parseTime(c.text, c.decimals); !ok || got != c.want {
			t.Errorf("%s with %d decimals: %d, %v; want %d", c.text, c.decimals, got, ok, c.want)
		}
	}
	for _, text := range []string{"", ".", ".5", "5.", "-1", "+1", "1e3", "1.-5", "1.2.3", "x", "9223372036.854775808", "1 2"} {
		if got, ok := parseTime(text, 9); ok {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}

func TestBurstsResolve(t *testing.T) {
	if l := loadOf(t, "rate: 10k, arrival: bursts, burst_on: 10ms"); l.LawText() != "bursts(10ms on, 200ms off, share 0.8)" {
		t.Errorf("law %s", l.LawText())
	}
	if l := loadOf(t, "rate: 10k, arrival: uniform"); l.LawText() != Evenly {
		t.Errorf("law %s", l.LawText())
	}
}

// TestOverrideDropsWhatNeededTheLaw: with another mode neither the law nor its keys have a meaning.
func TestOverrideDropsWhatNeededTheLaw(t *testing.T) {
	s, err := Parse("x.yaml", []byte("name: x\nload: {mode: open, rate: 1k, arrival: bursts, burst_on: 100ms}\narms: [shared]\n"), Names{})
	if err != nil {
		t.Fatal(err)
	}
	if s, err = s.Override(Overrides{Set: []string{"load.mode=closed"}}); err != nil {
		t.Fatal(err)
	}
	if l := s.Points[0].Load; l.Mode != Closed || l.Arrival != "" || l.BurstOn != 0 {
		t.Errorf("%+v", l)
	}
}
