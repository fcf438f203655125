package scenarios

import (
	"slices"
	"testing"
)

func mustParse(t *testing.T, file string) *Scenario {
	t.Helper()
	s, err := Parse("s/test.yaml", []byte(file), known3)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func labels(s *Scenario) []string {
	var l []string
	for _, p := range s.Points {
		l = append(l, p.Label)
	}
	return l
}

func TestSweepFollowsTheFile(t *testing.T) {
	check := func(file string, want ...string) {
		t.Helper()
		if got := labels(mustParse(t, "name: x\narms: [shared]\n"+file)); !slices.Equal(got, want) {
			t.Errorf("%s: points %q, want %q", file, got, want)
		}
	}
	check("", "")
	check("load: {pipeline: 4}", "")
	check("load: {pipeline: [4]}", "pipeline=4")
	check("load: {pipeline: [16, 1]}", "pipeline=16", "pipeline=1")
	check("workload: {value_size: [64, 1KiB]}\nload: {pipeline: [1, 16]}",
		"value_size=64,pipeline=1", "value_size=64,pipeline=16",
		"value_size=1024,pipeline=1", "value_size=1024,pipeline=16")
	check("load: {pipeline: [1, 16]}\nworkload: {value_size: [64, 1KiB]}",
		"pipeline=1,value_size=64", "pipeline=1,value_size=1024",
		"pipeline=16,value_size=64", "pipeline=16,value_size=1024")
	check("load: {mode: open, rate: [2.5k, 1M]}", "rate=2500", "rate=1000000")
	check("workload: {distribution: [uniform, zipfian], zipf: 1.2}", "distribution=uniform", "distribution=zipfian")
	check("workload: {distribution: zipfian, zipf: [0.50, 1]}", "zipf=0.5", "zipf=1")
	check("settings: {transport: [epoll, netpoll], shards: [1, 16]}",
		"transport=epoll,shards=1", "transport=epoll,shards=16",
		"transport=netpoll,shards=1", "transport=netpoll,shards=16")
}

// TestPointsHaveTheirValues holds that a label tells the truth, and that a key without meaning at a point is not set
// there.
func TestPointsHaveTheirValues(t *testing.T) {
	s := mustParse(t, `
name: x
workload: {distribution: [uniform, zipfian], zipf: 1.2}
settings: {workers: [1, 2]}
arms:
- shared
- {topology: shard-arc, workers: 4, transport: epoll}
`)
	for i, want := range []struct {
		zipf    float64
		workers int
	}{{0, 1}, {0, 2}, {1.2, 1}, {1.2, 2}} {
		p := s.Points[i]
		if p.Workload.Zipf != want.zipf || p.Settings.Workers != want.workers {
			t.Errorf("point %s has zipf %g and %d workers, want %g and %d",
				p.Label, p.Workload.Zipf, p.Settings.Workers, want.zipf, want.workers)
		}
		if got := s.Arms[0].SettingsAt(p); got != (Settings{Workers: want.workers}) {
			t.Errorf("point %s: shared is started with %+v", p.Label, got)
		}
		if got := s.Arms[1].SettingsAt(p); got != (Settings{Workers: 4, Transport: "epoll"}) {
			t.Errorf("point %s: shard-arc is started with %+v, want its own settings", p.Label, got)
		}
	}
}

func TestSettingsAtTakesEachFromTheRightPlace(t *testing.T) {
	p := Point{Settings: Settings{Shards: 1, Workers: 2, Transport: "epoll"}}
	if got := (Arm{}).SettingsAt(p); got != p.Settings {
		t.Errorf("an arm without settings has %+v, want the point's", got)
	}
	own := Settings{Shards: 8, Workers: 9, Transport: "netpoll"}
	if got := (Arm{Settings: own}).SettingsAt(p); got != own {
		t.Errorf("an arm with settings has %+v, want its own", got)
	}
}

func TestSweepMayFillTheLimit(t *testing.T) {
	s := mustParse(t, "name: x\narms: [shared]\n"+
		"workload: {keys: ["+listOf(20)+"]}\nload: {pipeline: ["+listOf(10)+"]}\n")
	if len(s.Points) != MaxPoints {
		t.Errorf("%d points, want %d", len(s.Points), MaxPoints)
	}
}
