package scenarios

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// TestValidateFindsWhatAFileCannotSay: data that did not come through Parse meets the same rules.
func TestValidateFindsWhatAFileCannotSay(t *testing.T) {
	check := func(want string, change func(s *Scenario)) {
		t.Helper()
		var s Scenario
		if err := json.Unmarshal([]byte(fullCanonical), &s); err != nil {
			t.Fatal(err)
		}
		change(&s)
		err := s.Validate(known3)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	check("0 points", func(s *Scenario) { s.Points = nil })
	check("0 arms", func(s *Scenario) { s.Arms = nil })
	check(`point "rate=5000" is there twice`, func(s *Scenario) { s.Points[1] = s.Points[0] })
	check("another's label", func(s *Scenario) { s.Points[0].Label = "rate=1" })
	check(`two arms are named "null"`, func(s *Scenario) { s.Arms[1] = s.Arms[0] })
	check("unknown topology", func(s *Scenario) { s.Arms[0].Topology = "nul" })
	check("shares sum to", func(s *Scenario) { s.Points[0].Workload.Mix = nil })
	check("shares must be", func(s *Scenario) { s.Points[0].Workload.Mix[0].Share = math.NaN() })
	check("shares must be", func(s *Scenario) { s.Points[0].Workload.Mix[1].Op = "GET" })
	check(`unknown operation "get"`, func(s *Scenario) { s.Points[0].Workload.Mix[0].Op = "get" })
	check("zipf: NaN is out of range", func(s *Scenario) { s.Points[0].Workload.Zipf = math.NaN() })
	check("zipf: has no meaning", func(s *Scenario) { s.Points[0].Workload.Distribution = Uniform })
	check("rate: NaN is out of range", func(s *Scenario) { s.Points[0].Load.Rate = math.NaN() })
	check("rate: has no meaning", func(s *Scenario) { s.Points[0].Load.Mode = Closed })
	check("pipeline: has no meaning", func(s *Scenario) { s.Points[0].Load.Pipeline = 1 })
	check("slices_per_block: 2 has no meaning", func(s *Scenario) { s.Run.SlicesPerBlock = 2 })
	check("shortest form", func(s *Scenario) { s.Run.CPUs.Server = "1,0" })
	check("is not a CPU list", func(s *Scenario) { s.Run.CPUs.Client = "" })
	check("command: has no meaning", func(s *Scenario) { s.Arms[0].Command = []string{"x"} })
	check("takes no settings", func(s *Scenario) { s.Arms[1].Settings.Shards = 4 })
	check("not told its port", func(s *Scenario) { s.Arms[1].Command = []string{"{port}"} })
}
