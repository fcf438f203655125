package results

import (
	"encoding/json"
	"time"
)

// Schema names the version of the run directory's format. It is the first field of manifest.json.
const Schema = "shardlab.run/1"

// Status of a run, as manifest.json has it. A manifest that still says Running belongs to a run in progress or to one
// whose process died; its finished slices are good either way.
const (
	Running     = "running"
	Complete    = "complete"
	Interrupted = "interrupted"
	Failed      = "failed"
)

// Manifest is manifest.json: everything about a run that is not a measurement.
type Manifest struct {
	Schema  string    `json:"schema"`
	ID      string    `json:"id"` // the run directory's base name
	Status  string    `json:"status"`
	Error   string    `json:"error,omitempty"` // why Status is Failed
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	Elapsed int64     `json:"elapsed_ns,omitempty"` // Started to Ended by the monotonic clock
	Argv    []string  `json:"argv"`
	Notes   []string  `json:"notes,omitempty"` // what a reader must know: arms skipped, CPUs shared

	Scenario Scenario `json:"scenario"`
	Points   []Point  `json:"points"`
	Arms     []Arm    `json:"arms"`
	Blocks   int      `json:"blocks"` // planned, of each point; with Sampling on average and at most
	Order    []Visit  `json:"order"`  // as executed

	Gate json.RawMessage `json:"gate,omitempty"` // what a gate has promised before it measured
	Knee *KneePlan       `json:"knee,omitempty"` // where the run searched for the highest rate that meets a bound

	Sampling *Sampling `json:"sampling,omitempty"` // where points got as many blocks as their winner needed

	Code   Code        `json:"code"`
	CPUs   CPUs        `json:"cpus"`
	EnvKey string      `json:"env_key"` // Environment.Key() at the start
	Before Environment `json:"environment"`
	After  Environment `json:"environment_after,omitzero"`
}

// Sampling is how an adaptive run spends its blocks: none of the numbers depends on what is measured.
type Sampling struct {
	Looks  []int  `json:"looks"`  // blocks after which a point may be settled; every point gets the first number, none more than the last
	Blocks int    `json:"blocks"` // of all points together, at most
	Metric string `json:"metric"` // by which winners are told
}

// Scenario identifies what was run: the resolved scenario and the file's own text.
type Scenario struct {
	Name     string          `json:"name"`
	Seed     uint64          `json:"seed"`
	Resolved json.RawMessage `json:"resolved"` // canonical JSON
	SHA256   string          `json:"sha256"`   // of Resolved
	Source   string          `json:"source"`   // the YAML as read
}

// Point is one cell of the scenario's sweep. Label is "" where the scenario sweeps nothing, else "pipeline=16" or
// "pipeline=16,value_size=1024", in the order of the file.
type Point struct {
	Label       string  `json:"label"`
	Params      []Param `json:"params,omitempty"` // what is swept, in the order of the file
	Mode        string  `json:"mode"`             // "closed" or "open"
	Connections int     `json:"connections"`
	Pipeline    int     `json:"pipeline"`              // closed loop: requests in flight per connection
	Arrival     string  `json:"arrival,omitempty"`     // open loop: the law of the arrivals: poisson, uniform, bursts, file or trace
	ArrivalLaw  string  `json:"arrival_law,omitempty"` // open loop: the law with its parameters
	// Dispersion is the index of dispersion of the arrivals in one slice by their law, 1 for poisson; nil where it is not known.
	Dispersion  *float64 `json:"dispersion,omitempty"`
	RateTo      float64  `json:"rate_to,omitempty"`       // open loop: what Rate changes to over each window, in a straight line
	Churn       float64  `json:"churn,omitempty"`         // connections opened anew, a second
	Group       string   `json:"group,omitempty"`         // of several groups of clients, the one that is told apart here
	Groups      []string `json:"groups,omitempty"`        // all of them, which are together here
	TimeoutNS   int64    `json:"timeout_ns,omitempty"`    // of a request
	Rate        float64  `json:"rate,omitempty"`          // open loop: offered operations per second, all connections together
	Protocol    string   `json:"protocol,omitempty"`      // what topologies get their load in, "resp" or "scnp"; "" is "resp"
	Via         string   `json:"via,omitempty"`           // "in-process" where clients are in the server's process, "mixed" where some are
	Inside      int      `json:"in_process,omitempty"`    // connections that are in-process
	Keys        int      `json:"keys"`                    // preloaded keys
	ValueSize   int      `json:"value_size"`              // bytes
	ValueLaw    string   `json:"value_law,omitempty"`     // of sizes, as written; "" where all are of ValueSize
	MayMiss     bool     `json:"may_miss,omitempty"`      // the mix removes keys, or has commands that may: misses are expected
	StreamHash  string   `json:"operation_stream"`        // hex XXH3-64 of the operation stream's beginning
	Ceiling     *Ceiling `json:"ceiling,omitempty"`       // nil where it was not measured
	Skew        Skew     `json:"skew,omitzero"`           // how unequal the keys are
	Trace       string   `json:"trace,omitempty"`         // what is in the trace that was replayed, for people
	SliceNS     int64    `json:"slice_ns"`                // length of one measured window
	Slices      int      `json:"slices_per_block"`        // planned visits of one arm in one block
	LeadNS      int64    `json:"lead_in_ns"`              // load before each window, not measured
	WarmupNS    int64    `json:"warmup_ns,omitempty"`     // load before a block's first slice
	WarmupMaxNS int64    `json:"warmup_max_ns,omitempty"` // the most of it, where its end is detected

	// ExpectedMisses is the share of reads that may find nothing; nil: none, or any where MayMiss.
	ExpectedMisses *float64 `json:"expected_misses,omitempty"`
}

// MeanRate is the offered operations per second over a whole window; 0 in a closed loop.
func (p *Point) MeanRate() float64 {
	if p.RateTo > 0 {
		return (p.Rate + p.RateTo) / 2
	}
	return p.Rate
}

// Skew says how unequal the keys of a workload are: shares of the operations, by the law and as drawn. Where the popular keys
// change it is that of any one moment.
type Skew struct {
	TopKey       float64 `json:"top_key"`       // of the most popular key
	TopPercent   float64 `json:"top_percent"`   // of the first hundredth of all keys together
	DrawnKey     float64 `json:"drawn_key"`     //
	DrawnPercent float64 `json:"drawn_percent"` //
	Draws        int     `json:"draws"`         // operations looked at
}

// Param is one swept parameter's value at a point.
type Param struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Arm is one thing under comparison.
type Arm struct {
	Name      string            `json:"name"`
	Kind      string            `json:"kind"`               // "topology", "responder" or "reference"
	Topology  string            `json:"topology,omitempty"` // registry key, where Kind is not reference
	Command   []string          `json:"command"`            // as started, with placeholders for addresses
	Settings  map[string]string `json:"settings,omitempty"` // boundary, dispatch, transport, shards, workers …
	Version   string            `json:"version,omitempty"`  // of a reference server
	Responder bool              `json:"responder,omitempty"`
	Protocol  string            `json:"protocol,omitempty"` // of a reference that is not spoken to in RESP
}

// Visit is one block of one point: the arms in the order in which they were started.
type Visit struct {
	Block int      `json:"block"`
	Point string   `json:"point"`
	Arms  []string `json:"arms"`
}

// CPUs says which processors the two sides had.
type CPUs struct {
	Server string `json:"server"`           // a CPU list as in "0-3,8"
	Client string `json:"client"`           //
	Shared bool   `json:"shared,omitempty"` // both sides on one CPU: every row is marked

	ClientThreads int `json:"client_threads,omitempty"` // that the load comes from
}

// Slice is one line of trials.jsonl: one visit of one arm. Durations are nanoseconds, CPU times nanoseconds of CPU.
// Every slice is kept, also a void one: Valid says whether the statistics use it and Why says why not.
type Slice struct {
	Point string `json:"point"`
	Arm   string `json:"arm"`
	Block int    `json:"block"`
	Slice int    `json:"slice"` // round within the block, from 0
	Pos   int    `json:"pos"`   // position within its round, from 0

	T   int64 `json:"t_ns"`   // start of the measured window, since the run's start
	Dur int64 `json:"dur_ns"` // measured length

	// Ops are operations by type (GET, SET) that were answered with a reply of the right type: in a closed loop those sent in
	// the window, in an open loop those due in it, whenever they were answered.
	Ops        map[string]uint64 `json:"ops"`
	Replies    uint64            `json:"replies"` // of any kind, read within the window: rates and CPU/op divide by it
	Errors     uint64            `json:"errors"`  // error replies and replies of a wrong type
	FirstError string            `json:"first_error,omitempty"`
	Reads      uint64            `json:"reads,omitempty"`      // keys that GETs and MGETs asked for
	Misses     uint64            `json:"misses"`               // of those, preloaded ones that were not there
	Corrupt    uint64            `json:"corrupt"`              // sampled values whose content was wrong
	Checked    uint64            `json:"checked"`              // values whose content was checked
	Intended   uint64            `json:"intended,omitempty"`   // open loop: arrivals due in the window
	Late       uint64            `json:"late,omitempty"`       // open loop: of those, sent over a millisecond after due
	Unsent     uint64            `json:"unsent,omitempty"`     // open loop: of those, never sent
	Sent       uint64            `json:"sent,omitempty"`       // requests of the window; runs of older programs have none
	TimedOut   uint64            `json:"timed_out,omitempty"`  // of those, without a reply for the timeout, which is what they count as
	InFlight   uint64            `json:"in_flight,omitempty"`  // of those, without a reply when the drain ended; in no percentile
	Overflow   uint64            `json:"overflow,omitempty"`   // latencies above the histogram's 60 s, recorded as 60 s
	Reconnects uint64            `json:"reconnects,omitempty"` // connections that the client closed and opened anew, within the window
	Connect    Latency           `json:"connect,omitzero"`     // how long that took, from closed to open
	BytesOut   uint64            `json:"bytes_out"`            // client to server, within the window
	BytesIn    uint64            `json:"bytes_in"`

	ServerCPU        int64   `json:"srv_cpu_ns"`                  // process CPU clock of the server over the window
	ServerUser       int64   `json:"srv_cpu_user_ns"`             // tick-resolution split over the whole visit
	ServerSys        int64   `json:"srv_cpu_sys_ns"`              //
	ClientCPU        int64   `json:"cli_cpu_ns"`                  // CPU of the load threads over the window, spinning left out
	ClientSpin       int64   `json:"cli_spin_ns,omitempty"`       // CPU that they polled away until the next arrival was due
	ClientBusy       float64 `json:"cli_busy"`                    // share of the window the busiest load thread was at work, 0 to 1
	Visit            int64   `json:"visit_ns,omitempty"`          // length of the visit: the window with lead-in and drain
	ClientGC         int64   `json:"cli_gc_ns,omitempty"`         // CPU of the client's own collector, over the visit
	ClientWait       int64   `json:"cli_wait_ns,omitempty"`       // over the visit, that the load thread which waited longest could have run and had no processor
	ClientRuns       int64   `json:"cli_runs,omitempty"`          // how often that thread got one
	ThrottledPeriods int64   `json:"throttled_periods,omitempty"` // over the visit, in which the control group's CPU quota was used up
	Throttled        int64   `json:"throttled_ns,omitempty"`      // and for how long, all processors together
	ListenDrops      int64   `json:"listen_drops,omitempty"`      // connections that found a full listen queue, over the visit, on the whole machine
	Steal            int64   `json:"steal_ticks"`                 // over the visit, all CPUs
	CtxVol           int64   `json:"nvcsw"`                       // server, over the visit
	CtxInvol         int64   `json:"nivcsw"`                      //
	MinorFaults      int64   `json:"minflt"`                      //
	RSS              int64   `json:"srv_rss"`                     // server's resident bytes after the visit
	GCCycles         int64   `json:"gc_cycles"`                   // server, over the visit; 0 where it has no collector
	GCCPU            int64   `json:"gc_cpu_ns"`                   //
	HeapLive         int64   `json:"heap_live"`                   // server's live heap after the visit, bytes
	AllocObjs        int64   `json:"alloc_objs,omitempty"`        // allocations of the server, over the visit; 0 where it does not say
	AllocBytes       int64   `json:"alloc_bytes,omitempty"`       //
	LatenessP        float64 `json:"send_late_p99_ns"`            // open loop: p99 of actual minus intended send time
	Pacing           Pacing  `json:"pacing,omitzero"`             // open loop

	Response Latency `json:"lat"`     // intended send to whole reply
	Service  Latency `json:"service"` // actual send to whole reply; equal to Response in a closed loop

	// Shared says that the slice is of one of several groups of clients: what the server and the load threads used is not told
	// apart, and stands with all groups together.
	Shared bool `json:"shared,omitempty"`

	Valid bool   `json:"valid"`
	Why   string `json:"why,omitempty"`
}

// Pacing compares the gaps between sends with those between the arrivals that they are of.
type Pacing struct {
	Gaps     uint64  `json:"gaps"`
	Due      float64 `json:"due_cv2"`  // squared coefficient of variation of the gaps between arrivals, the longest thousandth left out
	Sent     float64 `json:"sent_cv2"` // and of those between sends
	Distance float64 `json:"distance"` // the most that their distribution functions differ by, 0 to 1
}

// TotalOps is the number of operations in Ops, of all types.
func (s *Slice) TotalOps() uint64 {
	var n uint64
	for _, c := range s.Ops {
		n += c
	}
	return n
}

// Latency summarises one slice's histogram, in nanoseconds. A quantile without at least 10/(1-q) samples is 0.
type Latency struct {
	N    uint64  `json:"n"`
	Mean float64 `json:"mean"`
	P50  int64   `json:"p50"`
	P90  int64   `json:"p90"`
	P99  int64   `json:"p99"`
	P999 int64   `json:"p999"`
	Max  int64   `json:"max"`
}

// Trial is one line of blocks.jsonl: what is known of one arm in one block only once, because it belongs to the
// process and not to a slice. Quantiles are of the block's merged histogram.
type Trial struct {
	Point     string  `json:"point"`
	Arm       string  `json:"arm"`
	Block     int     `json:"block"`
	PID       int     `json:"pid"`
	Sockets   int     `json:"sockets"`    // connections that carried the load
	RSSEmpty  int64   `json:"rss_empty"`  // resident bytes before the preload
	RSSLoaded int64   `json:"rss_loaded"` // after the last slice
	Keys      int     `json:"keys"`       // as the server counted them after the preload
	Warmup    Warmup  `json:"warmup,omitzero"`
	Response  Latency `json:"lat"`
	Service   Latency `json:"service"`
}

// Warmup is the load before a block's first slice. Where its end is detected, it comes in windows: it ends when every arm of the block
// has shown a plateau, or at its maximum, and all arms have had as many windows.
type Warmup struct {
	Dur      int64 `json:"dur_ns"`              // under load
	Detected bool  `json:"detected,omitempty"`  // its end was looked for; else nothing is known of a plateau
	WindowNS int64 `json:"window_ns,omitempty"` // length of a window
	Windows  int   `json:"windows,omitempty"`
	Plateau  bool  `json:"plateau,omitempty"` // the arm has shown one
	Found    int   `json:"found,omitempty"`   // after so many windows
	// Metric and Shift are of the change that spoke last against a plateau, 0.05 being 5 %; "" where too little was answered to tell.
	Metric string  `json:"metric,omitempty"`
	Shift  float64 `json:"shift,omitempty"`
}
