package scenarios

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// Scenario is a file read, checked and resolved: no defaults are left to fill in. Its JSON is Canonical.
type Scenario struct {
	Name   string  `json:"name"` // lower-case letters, digits, '.', '_' and '-'; good as part of a file name
	About  string  `json:"about,omitempty"`
	Seed   uint64  `json:"seed"`   // of the operation streams and of every random order
	Points []Point `json:"points"` // at least one; the first swept key of the file varies slowest
	Arms   []Arm   `json:"arms"`   // at least one, names distinct, in the order of the file
	Run    RunPlan `json:"run"`
	// Shuffle is whether phases come in another order in every block.
	Shuffle bool `json:"shuffle_phases,omitempty"`
	SLO     *SLO `json:"slo,omitempty"` // what `shardlab knee` searches the highest rate for

	File   string `json:"-"` // as given to Load or Parse
	Source string `json:"-"` // the text of the file

	doc   *document // what Override edits; nil unless the scenario was loaded
	names Names
}

// Point is one cell of the sweep: what every arm is asked to do there.
type Point struct {
	// Label is "" where nothing is swept, else "pipeline=16" or "pipeline=16,value_size=1024", in the order of the
	// file.
	Label    string   `json:"label"`
	Params   []Param  `json:"params,omitempty"` // what Label is made of
	Workload Workload `json:"workload"`
	Load     LoadPlan `json:"load"`             // of the first phase, where there are phases
	Groups   []Group  `json:"groups,omitempty"` // all at once; then Workload is the key space, and Load what they have in common
	Phases   []Phase  `json:"phases,omitempty"` // one after the other
	Settings Settings `json:"settings"`         // for every topology arm; see Arm.SettingsAt
}

// Param is one swept key's value at a point. Values are normalised: 10k is "10000", 1KiB is "1024".
type Param struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Workload says which operations there are.
type Workload struct {
	Preset       string    `json:"preset,omitempty"` // what the keys that the file leaves out were taken from
	Trace        string    `json:"trace,omitempty"`  // a file, as written; beside it only sizes and kinds of values are set
	Keys         int       `json:"keys"`             // in the key space, all of them preloaded
	KeySize      int       `json:"key_size"`         // bytes; of the longest where there is a law
	ValueSize    int       `json:"value_size"`       // bytes; of the largest where there is a law
	Mix          []OpShare `json:"mix"`              // operations in one order whatever the file's, then commands; no zero shares
	Distribution string    `json:"distribution"`     // of keys
	Zipf         float64   `json:"zipf,omitempty"`   // Zipfian, Latest: exponent s, 0 < s <= MaxZipf

	HotOps     float64 `json:"hot_ops,omitempty"`     // Hotspot, Moving, HotShard: share of the operations
	HotKeys    float64 `json:"hot_keys,omitempty"`    // Hotspot, Moving: share of the keys
	HotPeriod  int     `json:"hot_period,omitempty"`  // Moving: operations of all connections
	HotDrift   float64 `json:"hot_drift,omitempty"`   // Moving: in numbers of hot keys
	HotShard   int     `json:"hot_shard,omitempty"`   // HotShard: which
	SkewShards int     `json:"skew_shards,omitempty"` // of how many shards HotShard is one, and CrossShare speaks

	Popularity string    `json:"popularity,omitempty"` // SHA-256 of the file's text, in hexadecimal
	Weights    []float64 `json:"-"`                    // what it says; by rank, going down
	Scramble   bool      `json:"scramble,omitempty"`   // popular keys are no neighbours

	KeyLaw      *Law    `json:"key_law,omitempty"`      // of sizes, where there is not but one
	ValueLaw    *Law    `json:"value_law,omitempty"`    // of sizes, where there is not but one
	ValueRandom float64 `json:"value_random,omitempty"` // share of a value's bytes that are random; 0: all of them
	TTL         *Law    `json:"ttl,omitempty"`          // of SETEX, EXPIRE and {ttl}
	KeysPerOp   int     `json:"keys_per_op,omitempty"`  // of MGET and MSET
	// ExpectedMisses is the share of reads that may find nothing; nil: none, or where the mix removes keys, any.
	ExpectedMisses *float64 `json:"expected_misses,omitempty"`
	CrossShare     *float64 `json:"cross_share,omitempty"` // of those, of several of SkewShards; nil: as it comes
}

// OpShare is the share of one operation in the mix.
type OpShare struct {
	Op    string  `json:"op"`    // in capitals, or a command with {key}, {value} or {ttl} in it
	Share float64 `json:"share"` // of 1; the shares of a mix sum to 1
}

// Distributions of keys, for Workload.Distribution.
const (
	Uniform = "uniform"
	Zipfian = "zipfian"

	Hotspot    = "hotspot"
	Latest     = "latest"
	Moving     = "moving"
	Sequential = "sequential"
	HotShard   = "hot-shard"
	Popularity = "popularity"
)

// LoadPlan says how operations arrive.
type LoadPlan struct {
	Mode        string  `json:"mode"`                       // Closed or Open
	Connections int     `json:"connections"`                // of all load threads together
	Pipeline    int     `json:"pipeline,omitempty"`         // Closed: requests in flight per connection
	Arrival     string  `json:"arrival,omitempty"`          // Open: the law, Poisson, Evenly, Bursts or Timestamps
	Rate        float64 `json:"rate,omitempty"`             // Open: operations per second, all connections together
	Protocol    string  `json:"protocol,omitempty"`         // "" for RESP; see Arm.ProtocolAt
	Path        string  `json:"path,omitempty"`             // HTTP: where a key is, with {key} for it
	Via         string  `json:"via,omitempty"`              // "" for sockets; InProcess or Mixed
	Inside      float64 `json:"in_process_share,omitempty"` // Mixed: share of the connections

	RateTo float64 `json:"rate_to,omitempty"` // Open: what Rate changes to over a window, in a straight line
	Churn  float64 `json:"churn,omitempty"`   // connections opened anew, a second

	Timeout time.Duration `json:"timeout_ns,omitempty"` // of a request, from when it was sent

	Spin time.Duration `json:"spin_ns,omitempty"` // Open: how long before an arrival a load thread polls instead of sleeping

	BurstOn    time.Duration `json:"burst_on_ns,omitempty"`  // Bursts: how long one is on average
	BurstOff   time.Duration `json:"burst_off_ns,omitempty"` // Bursts: from one to the next, on average
	BurstShare float64       `json:"burst_share,omitempty"`  // Bursts: of the arrivals

	ArrivalFile   string  `json:"arrival_file,omitempty"`   // Timestamps: SHA-256 of the file's text, in hexadecimal
	ArrivalColumn string  `json:"arrival_column,omitempty"` // Timestamps: of a file with a header
	ArrivalUnit   string  `json:"arrival_unit,omitempty"`   // Timestamps: of the file's times
	ArrivalSpeed  float64 `json:"arrival_speed,omitempty"`  // Timestamps: what gaps are divided by
	ArrivalTimes  []int64 `json:"-"`                        // Timestamps: what the file says, ns from the first
}

// Modes of load.
const (
	Closed = "closed" // a connection sends when a reply has come: throughput
	Open   = "open"   // operations are due at times drawn beforehand: latency
)

// Ways that load takes to a topology.
const (
	Socket    = "socket"
	InProcess = "in-process" // clients in the server's process hand it their operations
	Mixed     = "mixed"      // some clients so, the others through sockets, at once
)

// Protocols of load.
const (
	RESP      = "resp"
	SCNP      = "scnp"
	Memcached = "memcached" // its text protocol
	HTTP      = "http"      // HTTP/1.1
)

// Settings are the knobs of a topology, each by the name that shardlab serve has for it. A zero field means the preset's
// default.
type Settings struct {
	Shards          int    `json:"shards,omitempty"` // a power of two
	Workers         int    `json:"workers,omitempty"`
	Transport       string `json:"transport,omitempty"`
	Pin             string `json:"pin,omitempty"`
	Boundary        string `json:"boundary,omitempty"`
	Lock            string `json:"lock,omitempty"`
	LockScope       string `json:"lock_scope,omitempty"`
	Route           string `json:"route,omitempty"`
	CrossShard      string `json:"cross_shard,omitempty"`
	Transactions    string `json:"transactions,omitempty"`
	MaxMemory       int    `json:"max_memory,omitempty"` // bytes
	MaxMemoryPolicy string `json:"max_memory_policy,omitempty"`
}

// knob is a field of Settings: one of number and word is set.
type knob struct {
	key    string
	number *int
	word   *string
}

func (s *Settings) knobs() []knob {
	return []knob{
		{"shards", &s.Shards, nil}, {"workers", &s.Workers, nil}, {"transport", nil, &s.Transport}, {"pin", nil, &s.Pin},
		{"boundary", nil, &s.Boundary}, {"lock", nil, &s.Lock}, {"lock_scope", nil, &s.LockScope}, {"route", nil, &s.Route},
		{"cross_shard", nil, &s.CrossShard}, {"transactions", nil, &s.Transactions}, {"max_memory", &s.MaxMemory, nil},
		{"max_memory_policy", nil, &s.MaxMemoryPolicy},
	}
}

// Pairs lists what is set, by key.
func (s Settings) Pairs() (pairs [][2]string) {
	for _, k := range s.knobs() {
		switch {
		case k.number != nil && *k.number != 0:
			pairs = append(pairs, [2]string{k.key, strconv.Itoa(*k.number)})
		case k.word != nil && *k.word != "":
			pairs = append(pairs, [2]string{k.key, *k.word})
		}
	}
	return pairs
}

// Arm is one thing under comparison: a topology (responders included) or a reference server. Exactly one of Topology
// and Reference is set.
type Arm struct {
	Name      string   `json:"name"`
	Topology  string   `json:"topology,omitempty"`
	Settings  Settings `json:"settings"` // the arm's own, of a topology only
	Reference string   `json:"reference,omitempty"`
	Command   []string `json:"command,omitempty"`  // of a reference: program and arguments, {port} among them
	Install   string   `json:"install,omitempty"`  // how to get the reference, for people
	Optional  bool     `json:"optional,omitempty"` // a reference that may be absent from the PATH
	Protocol  string   `json:"protocol,omitempty"` // of a reference that has one of its own
}

// ProtocolAt is what the arm gets its load in at point p: a topology that of the load, a reference its own or else RESP.
func (a Arm) ProtocolAt(p Point) string {
	if a.Reference != "" {
		return cmp.Or(a.Protocol, RESP)
	}
	return cmp.Or(p.Load.Protocol, RESP)
}

// SettingsAt is what the arm is started with at point p: its own settings, and those of the point where it has none.
// An arm that sets a swept key itself stays the same at every point.
func (a Arm) SettingsAt(p Point) Settings {
	s := a.Settings
	point := p.Settings.knobs()
	for i, k := range s.knobs() {
		switch {
		case k.number != nil && *k.number == 0:
			*k.number = *point[i].number
		case k.word != nil && *k.word == "":
			*k.word = *point[i].word
		}
	}
	return s
}

// RunPlan says how often and how long every arm is measured at every point.
type RunPlan struct {
	Blocks         int           `json:"blocks"`           // fresh processes of every arm
	Slice          time.Duration `json:"slice_ns"`         // length of one measured window
	Long           bool          `json:"long,omitempty"`   // one long slice an arm a block
	SlicesPerBlock int           `json:"slices_per_block"` // visits of one arm in one block; 1 when Long
	LeadIn         time.Duration `json:"lead_in_ns"`       // load before each window, not measured
	Warmup         time.Duration `json:"warmup_ns"`        // load before a block's first slice; 0 where its end is detected
	// WarmupMax, unless 0, is the most that a warm-up may take whose end is detected.
	WarmupMax time.Duration `json:"warmup_max_ns,omitempty"`
	CPUs      CPUs          `json:"cpus"`
	Ceiling   string        `json:"ceiling,omitempty"` // "" or Off
	// Sampling is "" where every point gets Blocks, or Adaptive, where they all get as many together, or fewer.
	Sampling string `json:"sampling,omitempty"`
}

// Adaptive is a RunPlan's Sampling that deals blocks out to the points whose winner is least certain.
const Adaptive = "adaptive"

// MinAdaptive is how many blocks adaptive sampling takes at least: every point gets six, and there must be some to deal out.
const MinAdaptive = 7

// Off is a RunPlan's Ceiling that is not measured.
const Off = "off"

// How a ceiling is measured: each of its two rungs for so many slices with a lead-in.
const (
	CeilingSlices = 6
	CeilingSlice  = 50 * time.Millisecond
	CeilingLead   = 10 * time.Millisecond
)

// Ceilings reports whether the run measures the ceiling of every point.
func (r *RunPlan) Ceilings() bool { return r.Ceiling != Off }

// CPUs says which processors the two sides get, as CPU lists ("0-3,8") in canonical form. The zero value leaves the
// choice to the runner. The two lists may overlap.
type CPUs struct {
	Server string `json:"server,omitempty"`
	Client string `json:"client,omitempty"`
}

// Auto reports whether the runner is to choose.
func (c CPUs) Auto() bool { return c == CPUs{} }

// Canonical is the resolved scenario as compact JSON: equal scenarios give equal bytes on every machine, and nothing
// in them depends on where the file is or how it is written.
func (s *Scenario) Canonical() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // commands are read by people
	if err := enc.Encode(s); err != nil {
		panic("bug: scenario is not JSON: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// TypicalWarmup is what a warm-up takes whose end is detected: the shortest that there is, 400 ms, and for some blocks a little more.
const TypicalWarmup = 450 * time.Millisecond

// Planned is the time under load that the scenario asks for, all arms present, with warm-ups as they typically are. Starting,
// preloading and stopping the servers comes on top.
func (s *Scenario) Planned() time.Duration {
	return s.underLoad(s.Run.Warmup + min(TypicalWarmup, s.Run.WarmupMax))
}

// PlannedMost is the same with the longest warm-ups that there may be.
func (s *Scenario) PlannedMost() time.Duration { return s.underLoad(s.Run.Warmup + s.Run.WarmupMax) }

func (s *Scenario) underLoad(warmup time.Duration) time.Duration {
	total, plain := 0.0, 0
	for _, p := range s.Points {
		if len(p.Groups)+len(p.Phases) == 0 {
			plain++
		}
		block := float64(warmup)
		for _, v := range p.Visits(s.Run) {
			block += float64(v.Rounds) * (float64(s.Run.LeadIn) + float64(v.Length))
		}
		total += block * float64(s.Run.Blocks) * float64(len(s.Arms))
	}
	if s.Run.Ceilings() {
		total += float64(plain) * 2 * CeilingSlices * float64(CeilingLead+CeilingSlice) // or less, where points have one in common
	}
	if total >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(total)
}
