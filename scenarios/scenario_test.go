package scenarios

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"
)

const full = `
name: full
about: a <full> scenario & its "reference"
seed: 18446744073709551615
workload: {keys: 2k, key_size: 20B, value_size: 1KiB, mix: {set: 1, get: 3}, distribution: zipfian, zipf: 1.1}
load: {mode: open, connections: 10, arrival: poisson, rate: [5k, 10k]}
settings: {shards: 4}
arms:
- topology: null
- reference: redis
  name: redis-7
  command: [redis-server, --port, "{port}", --save, "", --maxmemory, 100mb, --appendonly, no, --io-threads, 1]
  install: apt-get install redis-server
  optional: true
run: {blocks: 2, slices: long, long_slice: 1.5s, lead_in: 0, warmup: 20ms, cpus: {server: "3,0-1,2", client: 8}}
`

const fullCanonical = `{"name":"full","about":"a <full> scenario & its \"reference\"","seed":18446744073709551615,` +
	`"points":[` +
	`{"label":"rate=5000","params":[{"name":"rate","value":"5000"}],` +
	`"workload":{"keys":2000,"key_size":20,"value_size":1024,` +
	`"mix":[{"op":"GET","share":0.75},{"op":"SET","share":0.25}],` +
	`"distribution":"zipfian","zipf":1.1},"load":{"mode":"open","connections":10,"arrival":"poisson","rate":5000},` +
	`"settings":{"shards":4}},` +
	`{"label":"rate=10000","params":[{"name":"rate","value":"10000"}],` +
	`"workload":{"keys":2000,"key_size":20,"value_size":1024,` +
	`"mix":[{"op":"GET","share":0.75},{"op":"SET","share":0.25}],` +
	`"distribution":"zipfian","zipf":1.1},"load":{"mode":"open","connections":10,"arrival":"poisson","rate":10000},` +
	`"settings":{"shards":4}}],` +
	`"arms":[{"name":"null","topology":"null","settings":{}},{"name":"redis-7","settings":{},"reference":"redis",` +
	`"command":["redis-server","--port","{port}","--save","",` +
	`"--maxmemory","100mb","--appendonly","no","--io-threads","1"],` +
	`"install":"apt-get install redis-server","optional":true}],` +
	`"run":{"blocks":2,"slice_ns":1500000000,"long":true,"slices_per_block":1,"lead_in_ns":0,"warmup_ns":20000000,` +
	`"cpus":{"server":"0-3","client":"8"}}}`

// TestCanonicalIsStable pins the bytes: run directories of different versions are compared by their hash.
func TestCanonicalIsStable(t *testing.T) {
	if got := string(mustParse(t, full).Canonical()); got != fullCanonical {
		t.Errorf("got\n%s\nwant\n%s", got, fullCanonical)
	}
}

// TestCanonicalForgetsHowItIsWritten holds that two ways to write one scenario give the same bytes.
func TestCanonicalForgetsHowItIsWritten(t *testing.T) {
	a := mustParse(t, "name: x\narms: [shared, \"null\"]\n"+
		"workload: {keys: 1M, mix: {get: 90, set: 10}}\nrun: {slices: 50ms}\n")
	b := mustParse(t, "run:\n  slices: 0.05s # comment\narms:\n- topology: shared\n- null\nworkload:\n"+
		"  mix: {set: 1, get: 9}\n  keys: 1000k\nname: \"x\"\nload: {mode: closed}\n")
	if string(a.Canonical()) != string(b.Canonical()) {
		t.Errorf("not the same:\n%s\n%s", a.Canonical(), b.Canonical())
	}
}

func TestCanonicalReadsBack(t *testing.T) {
	s := mustParse(t, full)
	var back Scenario
	if err := json.Unmarshal(s.Canonical(), &back); err != nil {
		t.Fatal(err)
	}
	if err := back.Validate(known3); err != nil {
		t.Fatal(err)
	}
	if string(back.Canonical()) != fullCanonical {
		t.Errorf("changed to\n%s", back.Canonical())
	}
	if !reflect.DeepEqual(back.Points, s.Points) || !reflect.DeepEqual(back.Arms, s.Arms) || back.Run != s.Run {
		t.Errorf("fields were lost on the way through JSON")
	}
}

// TestNullNeedsNoQuotes: the responder's name is a word of YAML.
func TestNullNeedsNoQuotes(t *testing.T) {
	for _, arm := range []string{"null", `"null"`, "'null'", "{topology: null}", `{topology: "null"}`} {
		s := mustParse(t, "name: x\narms: ["+arm+"]\n")
		if a := s.Arms[0]; a.Topology != "null" || a.Name != "null" {
			t.Errorf("arm %s became %+v", arm, a)
		}
	}
}

func TestMixDropsWhatIsNeverAsked(t *testing.T) {
	s := mustParse(t, "name: x\narms: [shared]\nworkload: {mix: {set: 0, get: 5}}\n")
	if got := s.Points[0].Workload.Mix; !reflect.DeepEqual(got, []OpShare{{"GET", 1}}) {
		t.Errorf("mix is %v", got)
	}
}

func TestWarmup(t *testing.T) {
	for text, want := range map[string][2]time.Duration{
		"":                                {0, 3 * time.Second},
		"run: {warmup: auto}":             {0, 3 * time.Second},
		"run: {warmup_max: 10s}":          {0, 10 * time.Second},
		"run: {warmup: 0s}":               {},
		"run: {warmup: 200ms, blocks: 2}": {200 * time.Millisecond, 0},
	} {
		r := mustParse(t, "name: x\narms: [shared]\n"+text+"\n").Run
		if got := [2]time.Duration{r.Warmup, r.WarmupMax}; got != want {
			t.Errorf("%s: warm-up %v and at most %v", text, got[0], got[1])
		}
	}
}

func TestPlanned(t *testing.T) {
	s := &Scenario{Points: make([]Point, 2), Arms: make([]Arm, 3), Run: RunPlan{
		Blocks: 4, Slice: 50 * time.Millisecond, SlicesPerBlock: 10,
		LeadIn: 5 * time.Millisecond, Warmup: 100 * time.Millisecond, Ceiling: Off,
	}}
	if got, want := s.Planned(), 2*3*4*650*time.Millisecond; got != want {
		t.Errorf("planned %v, want %v", got, want)
	}
	s.Run.Ceiling = ""
	if got, want := s.Planned(), 2*3*4*650*time.Millisecond+2*720*time.Millisecond; got != want {
		t.Errorf("planned %v, want %v", got, want)
	}
	s.Run.Ceiling, s.Run.Warmup, s.Run.WarmupMax = Off, 0, 3*time.Second
	if got, most := s.Planned(), s.PlannedMost(); got != 2*3*4*(550*time.Millisecond+TypicalWarmup) || most != 2*3*4*3550*time.Millisecond {
		t.Errorf("planned %v to %v", got, most)
	}
	s.Run.Slice = math.MaxInt64 / 2
	if got := s.Planned(); got != math.MaxInt64 {
		t.Errorf("planned %v, want no overflow", got)
	}
}
