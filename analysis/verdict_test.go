package analysis

import (
	"math"
	"strings"
	"testing"

	"github.com/shardlab/shardlab/analysis/internal/synth"
	"github.com/shardlab/shardlab/results"
)

var twoArms = []synth.Arm{
	{Name: "shared", Rate: 80e3, ServerCPU: 9000, P50: 600e3},
	{Name: "routed", Rate: 99e3, ServerCPU: 7600, P50: 500e3},
}

func closedRun() *synth.Run {
	return synth.New(synth.Config{Seed: 5, Arms: twoArms, Points: synth.Closed(1), Blocks: 6, Slices: 8, Noise: 0.01})
}

func openRun(rate float64) *synth.Run {
	return synth.New(synth.Config{Seed: 5, Arms: twoArms, Points: synth.Open(rate), Blocks: 6, Slices: 8, Noise: 0.01})
}

func analyse(t *testing.T, r *synth.Run, o Options) *Report {
	t.Helper()
	rep, err := New(r.Manifest, r.Slices, r.Trials, o)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// ofArm calls change for every slice of an arm.
func ofArm(r *synth.Run, arm string, change func(i int, s *results.Slice)) {
	n := 0
	for i := range r.Slices {
		if r.Slices[i].Arm == arm {
			change(n, &r.Slices[i])
			n++
		}
	}
}

// warmups gives the first blocks of the second arm a warm-up, and the others one with a plateau.
func warmups(w results.Warmup, blocks int) func(*synth.Run) {
	return func(r *synth.Run) {
		for i := range r.Trials {
			if t := &r.Trials[i]; t.Arm == "routed" {
				t.Warmup = results.Warmup{Detected: true, Plateau: true, Found: 25}
				if t.Block < blocks {
					t.Warmup = w
				}
			}
		}
	}
}

func TestVerdicts(t *testing.T) {
	once := func(f func(*results.Slice)) func(*synth.Run) {
		return func(r *synth.Run) {
			ofArm(r, "routed", func(i int, s *results.Slice) {
				if i == 13 {
					f(s)
				}
			})
		}
	}
	every := func(f func(i int, s *results.Slice)) func(*synth.Run) {
		return func(r *synth.Run) { ofArm(r, "routed", f) }
	}
	cases := []struct {
		name   string
		run    *synth.Run
		change func(*synth.Run)
		want   Verdict
		reason string
	}{
		{"untouched", closedRun(), func(*synth.Run) {}, Valid, ""},
		{"open below capacity", openRun(20e3), func(*synth.Run) {}, Valid, ""},
		{"one error", closedRun(), once(func(s *results.Slice) { s.Errors = 1 }), Invalid, "errors"},
		{"an error in a void slice", closedRun(), once(func(s *results.Slice) { s.Errors, s.Valid = 1, false }),
			Invalid, "errors"},
		{"one corrupt value", closedRun(), once(func(s *results.Slice) { s.Corrupt = 1 }), Invalid, "wrong content"},
		{"one miss", closedRun(), once(func(s *results.Slice) { s.Misses = 1 }), Invalid, "missing"},
		{"preload", closedRun(), func(r *synth.Run) { r.Trials[3].Keys-- }, Invalid, "preloaded key"},
		{"a third void", closedRun(), every(func(i int, s *results.Slice) { s.Valid = i%3 != 0 }),
			Invalid, "void"},
		{"a tenth void", closedRun(), every(func(i int, s *results.Slice) { s.Valid = i%10 != 0 }), Valid, ""},
		{"all void", closedRun(), every(func(_ int, s *results.Slice) { s.Valid = false }), Invalid, "void"},
		{"nothing finished", closedRun(), func(r *synth.Run) { r.Trials = nil }, Invalid, "no finished block"},
		{"above capacity", openRun(150e3), func(*synth.Run) {}, Saturated, "less than 99%"},
		{"2 % short", openRun(20e3), every(func(_ int, s *results.Slice) { s.Replies = s.Replies * 97 / 100 }),
			Saturated, "less than 99%"},
		{"bursts that happen to come less often", openRun(20e3), func(r *synth.Run) {
			burst := 400.0
			r.Manifest.Points[0].Arrival, r.Manifest.Points[0].Dispersion = "bursts", &burst
			every(func(_ int, s *results.Slice) { fewer(s, 97) })(r)
		}, Valid, ""},
		{"a file whose part has fewer arrivals", openRun(20e3), func(r *synth.Run) {
			r.Manifest.Points[0].Arrival = "file"
			every(func(_ int, s *results.Slice) { fewer(s, 70) })(r)
		}, Valid, ""},
		{"a Poisson process that has too few", openRun(20e3), every(func(_ int, s *results.Slice) { fewer(s, 90) }),
			Saturated, "less than 99%"},
		{"a ramp that was followed", openRun(20e3), func(r *synth.Run) {
			r.Manifest.Points[0].Rate, r.Manifest.Points[0].RateTo = 30e3, 10e3
		}, Valid, ""},
		{"a ramp with half of its arrivals", openRun(20e3), func(r *synth.Run) {
			r.Manifest.Points[0].RateTo = 60e3
		}, Saturated, "less than 99%"},
		{"groups that all did what was due", openRun(20e3), func(r *synth.Run) {
			r.Manifest.Points[0].Groups = []string{"bursts", "probe"}
			every(func(_ int, s *results.Slice) { fewer(s, 90) })(r)
		}, Valid, ""},
		{"groups that are behind what was due", openRun(20e3), func(r *synth.Run) {
			r.Manifest.Points[0].Groups = []string{"bursts", "probe"}
			every(func(_ int, s *results.Slice) { s.Replies = s.Replies * 97 / 100 })(r)
		}, Saturated, "less than 99%"},
		{"unsent of an open group beside a closed one", openRun(20e3), func(r *synth.Run) {
			r.Manifest.Points[0].Mode, r.Manifest.Points[0].Rate = "mixed", 0
			once(func(s *results.Slice) { s.Unsent = 1; s.Ops["GET"]-- })(r)
		}, Saturated, "never sent"},
		{"unanswered by groups of both kinds", openRun(20e3), func(r *synth.Run) {
			r.Manifest.Points[0].Mode, r.Manifest.Points[0].Rate = "mixed", 0
			once(func(s *results.Slice) { s.InFlight = 1; s.Ops["GET"]-- })(r)
		}, Saturated, "not answered within the drain"},
		{"unsent", openRun(20e3), once(func(s *results.Slice) { s.Unsent = 1; s.Ops["GET"]-- }), Saturated, "never sent"},
		{"unanswered", openRun(20e3), once(func(s *results.Slice) { s.InFlight = 1; s.Ops["GET"]-- }), Saturated,
			"not answered within the drain"},
		{"unanswered in a closed loop", closedRun(), once(func(s *results.Slice) { s.InFlight = 1 }), Invalid,
			"not answered within the drain"},
		{"one arrival lost", openRun(20e3), once(func(s *results.Slice) { s.Ops["GET"]-- }), Invalid, "do not reconcile"},
		{"a request lost in a closed loop", closedRun(), once(func(s *results.Slice) { s.Sent = s.TotalOps() + 1 }), Invalid, "do not reconcile"},
		{"all requests accounted for", closedRun(), every(func(_ int, s *results.Slice) {
			s.TimedOut, s.Sent = 1, s.TotalOps()+s.Errors+1
		}), Valid, ""},
		{"timeouts", closedRun(), every(func(_ int, s *results.Slice) {
			s.TimedOut = s.TotalOps() / 50
			s.Sent = s.TotalOps() + s.TimedOut
		}), Saturated, "timed out"},
		{"client busy", closedRun(), every(func(_ int, s *results.Slice) { s.ClientBusy = 0.86 }), ClientBound,
			"lower bound, the server could do more"},
		{"client busy at times", closedRun(), every(func(i int, s *results.Slice) {
			s.ClientBusy = 0.5 + 0.5*float64(i%5/3)
		}), Valid, ""},
		{"collector", closedRun(), every(func(_ int, s *results.Slice) { s.ClientGC = s.Dur / 15 }), ClientBound, "collector"},
		{"collector, a little", closedRun(), every(func(_ int, s *results.Slice) { s.ClientGC = s.Dur / 25 }), Valid, ""},
		{"waits for a processor", closedRun(), every(func(_ int, s *results.Slice) { s.ClientWait, s.ClientRuns = s.Dur/15, 900 }),
			ClientBound, "wait for a processor"},
		{"waits seldom and long", openRun(20e3), every(func(_ int, s *results.Slice) { s.ClientWait, s.ClientRuns = s.Dur/100, 3 }),
			ClientBound, "wait for a processor"},
		{"waits often and briefly", openRun(20e3), every(func(_ int, s *results.Slice) { s.ClientWait, s.ClientRuns = s.Dur/100, 9000 }),
			Valid, ""},
		{"throttled", closedRun(), every(func(_ int, s *results.Slice) { s.Throttled, s.ThrottledPeriods = s.Dur/30, 1 }), Invalid, "quota"},
		{"hardly throttled", closedRun(), every(func(_ int, s *results.Slice) { s.Throttled = s.Dur / 100 }), Valid, ""},
		{"listen drops", closedRun(), once(func(s *results.Slice) { s.ListenDrops = 2 }), Saturated, "listen queue"},
		{"late sends", openRun(20e3), every(func(_ int, s *results.Slice) { s.LatenessP = 5e6 }),
			ClientBound, "sent late"},
		{"sends in clumps", openRun(20e3), every(func(_ int, s *results.Slice) {
			s.Pacing = results.Pacing{Gaps: 999, Due: 1, Sent: 2.5, Distance: 0.4}
		}), ClientBound, "not spaced as the arrivals are"},
		{"bursts made flat", openRun(20e3), every(func(_ int, s *results.Slice) {
			s.Pacing = results.Pacing{Gaps: 999, Due: 8, Sent: 3, Distance: 0.2}
		}), ClientBound, "not spaced as the arrivals are"},
		{"sends as by law", openRun(20e3), every(func(_ int, s *results.Slice) {
			s.Pacing = results.Pacing{Gaps: 999, Due: 1, Sent: 1.2, Distance: 0.1}
		}), Valid, ""},
		{"clumps of few", openRun(20e3), every(func(_ int, s *results.Slice) {
			s.Pacing = results.Pacing{Gaps: 9, Due: 1, Sent: 2.5, Distance: 0.4}
		}), Valid, ""},
		{"slower and slower", closedRun(), every(func(_ int, s *results.Slice) {
			s.Replies = uint64(float64(s.Replies) * (1 - 0.03*float64(s.Slice)))
		}), Unsteady, "throughput differs"},
		{"no plateau", closedRun(), warmups(results.Warmup{Detected: true, Metric: "throughput", Shift: 0.04}, 3), NoPlateau, "no plateau"},
		{"one block without", closedRun(), warmups(results.Warmup{Detected: true, Metric: "throughput", Shift: 0.04}, 1), Valid, ""},
		{"plateaus", closedRun(), warmups(results.Warmup{Detected: true, Plateau: true, Found: 20}, 6), Valid, ""},
		{"nothing to see one by", closedRun(), warmups(results.Warmup{Detected: true}, 6), Valid, ""},
	}
	for _, c := range cases {
		c.change(c.run)
		got := analyse(t, c.run, Options{}).Points[0].Rows[1].Verdict
		if got.Verdict != c.want || !strings.Contains(got.Reason, c.reason) {
			t.Errorf("%s: %s (%s; %s), want %s (%s)", c.name, got.Verdict, got.Reason, got.Detail, c.want, c.reason)
		}
		if got.Verdict != Valid && (got.Fix == "" || got.Detail == "") {
			t.Errorf("%s: the verdict lacks a figure or what to change: %+v", c.name, got.Finding)
		}
	}
}

func TestWorstVerdictLeadsAndTheRestFollow(t *testing.T) {
	r := openRun(150e3)
	ofArm(r, "routed", func(_ int, s *results.Slice) {
		s.ClientBusy, s.Errors = 0.99, 2
		s.Ops["GET"] -= 2
	})
	j := analyse(t, r, Options{}).Points[0].Rows[1].Verdict
	var got []Verdict
	for _, f := range j.Findings() {
		got = append(got, f.Verdict)
	}
	if len(got) != 3 || got[0] != Invalid || got[1] != Saturated || got[2] != ClientBound {
		t.Errorf("verdicts %v", got)
	}
}

func TestExpectedMissesAreNoFault(t *testing.T) {
	r := closedRun()
	ofArm(r, "routed", func(_ int, s *results.Slice) { s.Misses = s.Ops["GET"] / 20 })
	row := func(expected float64) Row {
		r.Manifest.Points[0].ExpectedMisses = &expected
		return analyse(t, r, Options{}).Points[0].Rows[1]
	}
	for expected, want := range map[float64]Verdict{0: Invalid, 0.04: Invalid, 0.05: Valid, 0.06: Valid, 1: Valid} {
		if got := row(expected).Verdict; got.Verdict != want {
			t.Errorf("5 %% of misses where %v are expected: %+v", expected, got)
		}
	}
	r.Manifest.Points[0].MayMiss = true // the mix removes keys
	if got := row(0.04).Verdict; got.Verdict != Invalid {
		t.Errorf("more misses than expected, where keys are removed: %+v", got)
	}
	r.Manifest.Points[0].ExpectedMisses = nil
	got := analyse(t, r, Options{}).Points[0].Rows[1]
	if got.Verdict.Verdict != Valid || len(got.Warnings) != 1 || !strings.Contains(string(got.Warnings[0]), "expected_misses") {
		t.Errorf("5 %% of misses where keys are removed: %+v, %v", got.Verdict, got.Warnings)
	}
	ofArm(r, "routed", func(_ int, s *results.Slice) { s.Misses = s.Ops["GET"] / 200 })
	if got := analyse(t, r, Options{}).Points[0].Rows[1]; len(got.Warnings) != 0 {
		t.Errorf("0.5 %% of misses where keys are removed: %v", got.Warnings)
	}
}

// TestKeysThatMayBeGone: where misses are expected, so are keys that a preload did not leave; but not all of them.
func TestKeysThatMayBeGone(t *testing.T) {
	for keys, want := range map[int]Verdict{0: Invalid, 60_000: Valid, 100_000: Valid, 100_001: Invalid} {
		r, expected := closedRun(), 0.5
		r.Manifest.Points[0].ExpectedMisses = &expected
		for i := range r.Trials {
			r.Trials[i].Keys = keys
		}
		if got := analyse(t, r, Options{}).Points[0].Rows[1].Verdict; got.Verdict != want {
			t.Errorf("%d of 100000 keys: %+v", keys, got)
		}
	}
}

func TestRespondersHoldNoData(t *testing.T) {
	r := closedRun()
	r.Manifest.Arms[1].Responder = true
	ofArm(r, "routed", func(_ int, s *results.Slice) { s.Misses, s.Corrupt = 5, 5 })
	for i := range r.Trials {
		if r.Trials[i].Arm == "routed" {
			r.Trials[i].Keys = 0
		}
	}
	rep := analyse(t, r, Options{})
	if got := rep.Points[0].Rows[1].Verdict; got.Verdict != Valid {
		t.Errorf("a responder is %+v", got)
	}
	if c := rep.Points[0].Rows[1].Cells[Memory]; c.Estimate != nil || c.Absent == "" {
		t.Errorf("memory of a responder: %+v", c)
	}
}

// TestCeiling: shared does 81 % of what the responder does, which bounds it only if the client was the responder's
// limit.
func TestCeiling(t *testing.T) {
	for _, busy := range []float64{0.5, 0.95} {
		r := closedRun()
		r.Manifest.Arms[1].Responder = true
		ofArm(r, "routed", func(_ int, s *results.Slice) { s.ClientBusy = busy })
		want := Valid
		if busy > maxClientBusy {
			want = ClientBound
		}
		if got := analyse(t, r, Options{}).Points[0].Rows[0].Verdict; got.Verdict != want {
			t.Errorf("responder's client %v busy: %+v, want %s", busy, got, want)
		}
	}
}

// TestCommonDriftDoesNotCount: the machine slows both arms by 20 % within each block; only what one does alone counts.
func TestCommonDriftDoesNotCount(t *testing.T) {
	slow := func(_ int, s *results.Slice) {
		s.Replies = uint64(float64(s.Replies) * (1 - 0.03*float64(s.Slice)))
	}
	r := closedRun()
	ofArm(r, "routed", slow)
	ofArm(r, "shared", slow)
	for _, row := range analyse(t, r, Options{}).Points[0].Rows {
		if row.Verdict.Verdict != Valid {
			t.Errorf("%s: %+v", row.Arm, row.Verdict)
		}
		if row.Drift == nil || row.Drift.Blocks != 6 || math.Abs(row.Drift.Mean) > 0.02 {
			t.Errorf("%s: drift %+v", row.Arm, row.Drift)
		}
	}
	// Alone, there is nothing to compare the drift with.
	r.Manifest.Arms = r.Manifest.Arms[:1]
	if got := analyse(t, r, Options{}).Points[0].Rows[0].Verdict; got.Verdict != Unsteady {
		t.Errorf("a single arm that slows by 20 %%: %+v", got)
	}
}

// TestOneDriftingArmDoesNotAccuseTheOthers is why drift is taken from the median of the arms and not from their mean.
func TestOneDriftingArmDoesNotAccuseTheOthers(t *testing.T) {
	arms := append([]synth.Arm{{Name: "third", Rate: 90e3, ServerCPU: 8000, P50: 550e3}}, twoArms...)
	r := synth.New(synth.Config{Seed: 6, Arms: arms, Points: synth.Closed(1), Blocks: 8, Slices: 20, Noise: 0.004})
	ofArm(r, "third", func(_ int, s *results.Slice) {
		s.Replies = uint64(float64(s.Replies) * (1 - 0.015*float64(s.Slice)))
	})
	for i, want := range []Verdict{Unsteady, Valid, Valid} {
		if got := analyse(t, r, Options{}).Points[0].Rows[i]; got.Verdict.Verdict != want {
			t.Errorf("%s: %+v, want %s", got.Arm, got.Verdict, want)
		}
	}
}

// fewer makes a slice one with that percentage of its arrivals, all answered.
func fewer(s *results.Slice, percent uint64) {
	s.Intended = s.Intended * percent / 100
	s.Replies = s.Intended
	rest := s.Intended
	for op := range s.Ops {
		s.Ops[op] = 0
	}
	s.Ops["GET"] = rest
}

// TestServerBound: that the server is at its own limit is said, and is no fault.
func TestServerBound(t *testing.T) {
	r := closedRun()
	r.Manifest.CPUs.Server = "0,2"
	ofArm(r, "routed", func(_ int, s *results.Slice) { s.ServerCPU = s.Dur * 2 * 97 / 100 })
	rep := analyse(t, r, Options{})
	row := rep.Points[0].Rows[1]
	if row.Verdict.Verdict != Valid || math.Abs(row.ServerBusy-0.97) > 0.001 {
		t.Errorf("%s, busy %v", row.Verdict.Verdict, row.ServerBusy)
	}
	var out strings.Builder
	if err := rep.Text(&out, Style{}); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.Contains(text, "server-bound: ") || !strings.Contains(text, "routed (97%)") || strings.Contains(text, "shared (") {
		t.Error(text)
	}
}

func TestVoidSlicesSayWhy(t *testing.T) {
	r := closedRun()
	ofArm(r, "routed", func(i int, s *results.Slice) {
		if s.Valid = i%4 == 0; !s.Valid {
			s.Why = []string{"steal: x", "window: y", "window: z"}[i%4-1]
		}
	})
	if got := analyse(t, r, Options{}).Points[0].Rows[1].Verdict; !strings.HasSuffix(got.Detail, ", 24 by window, 12 by steal") {
		t.Errorf("%+v", got)
	}
}

func TestFanIn(t *testing.T) {
	check := func(mode string, connections int, server, client string, threads int, want ...string) {
		t.Helper()
		got := string(fanIn(results.Point{Mode: mode, Connections: connections}, results.CPUs{Server: server, Client: client, ClientThreads: threads}))
		if (got == "") != (len(want) == 0) {
			t.Errorf("%d %s connections: %q", connections, mode, got)
		}
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%d %s connections: %q has not %q", connections, mode, got, w)
			}
		}
	}
	check("open", 50, "0", "1", 1, "fewer than 100 a server thread (50)", "and more than 16 a load thread (50)")
	check("open", 256, "0-1", "2-17", 16)
	check("open", 40, "", "", 4)
	check("open", 65, "", "", 4, "more than 16 a load thread (16.2)")
	check("open", 16, "0", "", 1, "fewer than 100 a server thread (16)")
	check("open", 10, "", "", 0)
	check("closed", 50, "0", "1", 1)
}
