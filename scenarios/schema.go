package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The sections of a scenario file. Keys outside of them are in section top.
const (
	top       = ""
	workload  = "workload"
	load      = "load"
	settings  = "settings"
	groupList = "groups"
	phaseList = "phases"
	stepTable = "steps"
	armList   = "arms"
	runLength = "run"
)

var sectionNames = []string{workload, load, groupList, phaseList, stepTable, settings, armList, runLength}

// listNames are those that are no tables of keys that can be set one by one.
var listNames = []string{groupList, phaseList, stepTable, armList}

// key is one key of the schema: its documentation, its default and its reader in one place, so that they agree.
type key struct {
	section string
	name    string // no two keys of the sections above share one, those of arms aside
	kind    string // for people: what to write
	def     string // YAML; "" means a zero value or, where required, an error
	about   string
	sweep   bool // a list of values is a sweep
	// required says what is missing where the key is; "" where it may be left out.
	required string
	unless   need // the zero need: never. Where it is met, a required key may be left out after all
	needs    need
	// set stores the value in the draft and returns it normalised, as labels have it. Errors carry their place.
	set func(d *draft, v value) (string, error)
}

// need is what another key of the same section, defined earlier, must be for a key to have a meaning. The zero need
// is always met.
type need struct {
	key   string
	value string // or several with | between them
	not   bool   // any other value
}

func (n need) met(value string) bool {
	return n.key == "" || slices.Contains(n.words(), value) != n.not
}

func (n need) words() []string { return strings.Split(n.value, "|") }

func (n need) String() string {
	if n.not {
		return fmt.Sprintf("%s other than %s", n.key, n.value)
	}
	return fmt.Sprintf("%s: %s", n.key, strings.Join(n.words(), " or "))
}

// draft is what the readers of keys write to.
type draft struct {
	scenario Scenario
	point    Point
	arm      Arm
	long     time.Duration // run.long_slice
}

// schema is every key there is, in the order of documentation and of resolving.
var schema = func() []key {
	onArm := func(d *draft) *Settings { return &d.arm.Settings }
	onPoint := func(d *draft) *Settings { return &d.point.Settings }
	var all []key
	all = append(all, topKeys...)
	all = append(all, workloadKeys...)
	all = append(all, loadKeys...)
	all = append(all, partKeys...)
	all = append(all, settingKeys(settings, true, onPoint)...)
	all = append(all, armKeys...)
	all = append(all, settingKeys(armList, false, onArm)...)
	return append(all, runKeys...)
}()

var topKeys = []key{
	{section: top, name: "name", kind: "word", required: "a scenario needs one, as in name: hot-keys",
		about: "in reports and directory names: lower-case letters, digits, '.', '_', '-'",
		set:   word(func(d *draft) *string { return &d.scenario.Name })},
	{section: top, name: "about", kind: "text",
		about: "one line for lists",
		set:   text(func(d *draft) *string { return &d.scenario.About })},
	{section: top, name: "seed", kind: "integer", def: "1",
		about: "of the operation streams and of every random order",
		set:   setSeed},
	{section: top, name: "slo", kind: "text",
		about: "bound that knee searches the highest rate for, on p50 to p99.99, max or mean of response time: p99 < 1ms; or of one operation: get p99 < 1ms",
		set:   setSLO},
}

var workloadKeys = []key{
	{section: workload, name: "preset", kind: "word", sweep: true,
		about: "a published workload, whose keys are the defaults then: " + strings.Join(names(Presets()), ", "),
		set:   setPreset},
	{section: workload, name: "trace", kind: "file",
		about: "operations recorded elsewhere, named from where shardlab is called: CSV with a header that names op, key, and perhaps " +
			"timestamp, value_size and ttl; or a Twitter cache trace; or what redis-cli MONITOR printed; as it is, or compressed " +
			"with gzip or zstd. They are sent in their order, again from the beginning after the last; keys that are read before they are written are preloaded. Beside it only " +
			"value_size (where the file tells none), value_random and expected_misses have a meaning",
		set: setTrace},
	{section: workload, name: "keys", kind: "count", def: "100k", sweep: true,
		about: "in the key space; all of them are preloaded",
		set:   count(func(d *draft) *int { return &d.point.Workload.Keys })},
	{section: workload, name: "key_size", kind: "law", def: "16", sweep: true,
		about: "bytes of a key, as in value_size; which size a key has follows from its number, and each holds \"k:\" and the number " +
			"of the last key",
		set: setKeySize},
	{section: workload, name: "value_size", kind: "law", def: "64", sweep: true,
		about: "bytes of a value: " + lawHelp,
		set:   setValueSize},
	{section: workload, name: "value_random", kind: "number", def: "1", sweep: true,
		about: "share of a value's bytes that are random; the rest compresses (above 0, up to 1)",
		set:   setValueRandom},
	{section: workload, name: "mix", kind: "weights", def: "{get: 90, set: 10}",
		about: "of the operations " + strings.Join(operations, ", ") + ", and of commands with {key}, {value} and {ttl} " +
			"in them, as in \"HSET h:{key} f {value}\": 5, or of several steps, as in \"GET {key}; EXPIRE {key} 9\", each sent when the " +
			"one before it is answered; rmw is a get and then a set of the key; any numbers, their sum is the whole",
		set: setMix},
	{section: workload, name: "ttl", kind: "law", sweep: true,
		about: "time to live that setex, expire and {ttl} give: " + strings.NewReplacer("64..1024", "1s..1m", "64: 9, 1KiB: 1", "1s: 9, 1m: 1").Replace(lawHelp),
		set:   setTTL},
	{section: workload, name: "keys_per_op", kind: "count", sweep: true,
		about: "keys of an mget or mset; left out: 10",
		set:   count(func(d *draft) *int { return &d.point.Workload.KeysPerOp })},
	{section: workload, name: "cross_share", kind: "number", sweep: true,
		about: "share of mget and mset whose keys are of several of skew_shards, those of the others being of one; left out: as it comes (0 to 1)",
		set:   setCrossShare},
	{section: workload, name: "expected_misses", kind: "number", sweep: true,
		about: "share of reads that may find nothing, more being invalid; above 0, keys may be gone before measuring begins, as in a cache that is too small; left out: " +
			"0, or as it comes where the mix removes keys (0 to 1)",
		set: setExpectedMisses},
	{section: workload, name: "distribution", kind: "word", def: Uniform, sweep: true,
		about: "of keys: " + strings.Join(names(distributions), ", "),
		set:   word(func(d *draft) *string { return &d.point.Workload.Distribution })},
	{section: workload, name: "zipf", kind: "number", def: "0.99", sweep: true,
		needs: need{key: "distribution", value: Zipfian + "|" + Latest},
		about: "exponent of the skew; 0.99 is YCSB's",
		set:   number(func(d *draft) *float64 { return &d.point.Workload.Zipf })},
	{section: workload, name: "hot_ops", kind: "number", def: "0.8", sweep: true,
		needs: need{key: "distribution", value: Hotspot + "|" + Moving + "|" + HotShard},
		about: "share of the operations that go to what is hot",
		set:   number(func(d *draft) *float64 { return &d.point.Workload.HotOps })},
	{section: workload, name: "hot_keys", kind: "number", def: "0.2", sweep: true,
		needs: need{key: "distribution", value: Hotspot + "|" + Moving},
		about: "share of the keys that are hot",
		set:   number(func(d *draft) *float64 { return &d.point.Workload.HotKeys })},
	{section: workload, name: "hot_period", kind: "count", def: "100k", sweep: true,
		needs: need{key: "distribution", value: Moving},
		about: "operations, of all connections together, after which the hot keys move on",
		set:   count(func(d *draft) *int { return &d.point.Workload.HotPeriod })},
	{section: workload, name: "hot_drift", kind: "number", def: "1", sweep: true,
		needs: need{key: "distribution", value: Moving},
		about: "by how much of their number they move: 1: others are hot then; 0.01: one in a hundred is another",
		set:   number(func(d *draft) *float64 { return &d.point.Workload.HotDrift })},
	{section: workload, name: "hot_shard", kind: "count", def: "0", sweep: true,
		needs: need{key: "distribution", value: HotShard},
		about: "number of the shard that is hot",
		set:   count(func(d *draft) *int { return &d.point.Workload.HotShard })},
	{section: workload, name: "skew_shards", kind: "count", sweep: true,
		about: "shards that hot_shard and cross_share are of, a power of two, left out: 16; every arm gets the same operations, " +
			"however many shards it has",
		set: count(func(d *draft) *int { return &d.point.Workload.SkewShards })},
	{section: workload, name: "popularity", kind: "file",
		needs:    need{key: "distribution", value: Popularity},
		required: "write the name of a file with a weight on each line, as in popularity: weights.txt",
		about:    "a file, named from where shardlab is called: a weight a line, the most popular key's first",
		set:      setPopularity},
	{section: workload, name: "scramble", kind: "boolean", def: "false", sweep: true,
		needs: need{key: "distribution", value: Zipfian + "|" + Hotspot + "|" + Popularity},
		about: "true: popular keys are spread over the key space; false: they are neighbours",
		set:   boolean(func(d *draft) *bool { return &d.point.Workload.Scramble })},
}

var loadKeys = []key{
	{section: load, name: "mode", kind: "word", def: Closed,
		about: "closed: a connection sends when a reply has come; open: operations are due at random times",
		set:   word(func(d *draft) *string { return &d.point.Load.Mode })},
	{section: load, name: "connections", kind: "count", def: "50", sweep: true,
		about: "of all load threads together",
		set:   count(func(d *draft) *int { return &d.point.Load.Connections })},
	{section: load, name: "pipeline", kind: "count", def: "1", sweep: true, needs: need{key: "mode", value: Closed},
		about: "requests in flight on a connection",
		set:   count(func(d *draft) *int { return &d.point.Load.Pipeline })},
	{section: load, name: "arrival", kind: "word", def: Poisson, needs: need{key: "mode", value: Open},
		sweep: true,
		about: "law of the arrivals: " + listed(arrivals),
		set:   word(func(d *draft) *string { return &d.point.Load.Arrival })},
	{section: load, name: "burst_on", kind: "duration", def: "50ms", sweep: true, needs: need{key: "arrival", value: Bursts},
		about: "how long a burst is, on average; exponentially distributed, as the time between two",
		set:   duration(func(d *draft) *time.Duration { return &d.point.Load.BurstOn })},
	{section: load, name: "burst_off", kind: "duration", def: "200ms", sweep: true, needs: need{key: "arrival", value: Bursts},
		about: "how long it is from one burst to the next, on average",
		set:   duration(func(d *draft) *time.Duration { return &d.point.Load.BurstOff })},
	{section: load, name: "burst_share", kind: "number", def: "0.8", sweep: true, needs: need{key: "arrival", value: Bursts},
		about: "share of the operations that fall in bursts; with 1 none fall between",
		set:   number(func(d *draft) *float64 { return &d.point.Load.BurstShare })},
	{section: load, name: "arrival_column", kind: "word", needs: need{key: "arrival", value: Timestamps},
		about: "name in the header of arrival_file; left out: the file has none, and times come first on their lines",
		set:   word(func(d *draft) *string { return &d.point.Load.ArrivalColumn })},
	{section: load, name: "arrival_unit", kind: "word", def: "s", needs: need{key: "arrival", value: Timestamps},
		about: "of the times in arrival_file: s, ms, us or ns",
		set:   setArrivalUnit},
	{section: load, name: "arrival_speed", kind: "number", def: "1", sweep: true, needs: need{key: "arrival", value: Timestamps + "|" + Traced},
		about: "2 goes through the times in half the time",
		set:   number(func(d *draft) *float64 { return &d.point.Load.ArrivalSpeed })},
	{section: load, name: "arrival_file", kind: "file", needs: need{key: "arrival", value: Timestamps},
		required: "write the name of a file with a time on each line, as in arrival_file: times.csv",
		about:    "named from where shardlab is called: CSV, or a time a line, ascending; it begins anew after its last, and says the rate",
		set:      setArrivalFile},
	{section: load, name: "rate", kind: "count", sweep: true, needs: need{key: "mode", value: Open},
		required: "an open loop needs one, in operations per second, as in rate: 10k",
		unless:   need{key: "arrival", value: Timestamps + "|" + Traced},
		about:    "operations per second, all connections together",
		set:      setRate},
	{section: load, name: "rate_to", kind: "count", sweep: true, needs: need{key: "arrival", value: Poisson + "|" + Evenly},
		about: "where rate changes to, in a straight line over each window; left out: it is constant",
		set:   rate(func(d *draft) *float64 { return &d.point.Load.RateTo })},
	{section: load, name: "churn", kind: "count", def: "0", sweep: true,
		about: "connections a second that are closed by the client and opened anew, in turn, without losing a request; 50/s is 50",
		set:   setChurn},
	{section: load, name: "spin", kind: "duration", def: "0s", sweep: true, needs: need{key: "mode", value: Open},
		about: "how long before an arrival a load thread polls instead of sleeping, which takes a processor for each; 1s: always",
		set:   duration(func(d *draft) *time.Duration { return &d.point.Load.Spin })},
	{section: load, name: "timeout", kind: "duration", def: "0s", sweep: true,
		about: "of a request, from when it was sent, which then counts as timed out and in percentiles as the timeout; a late reply is dropped; 0s: none",
		set:   duration(func(d *draft) *time.Duration { return &d.point.Load.Timeout })},
	{section: load, name: "protocol", kind: "word", def: RESP, sweep: true,
		about: "what topologies get their load in, resp, scnp or http; load has memcached too. A reference gets its own",
		set:   setProtocol},
	{section: load, name: "path", kind: "text", def: "/v1/keys/{key}", needs: need{key: "protocol", value: HTTP},
		about: "where HTTP finds a key, with {key} for it",
		set:   word(func(d *draft) *string { return &d.point.Load.Path })},
	{section: load, name: "via", kind: "word", def: Socket, sweep: true,
		about: "how operations reach a topology: socket; in-process: clients in the server's own process, on its processors, hand " +
			"them over without a socket; mixed: some so and the others through sockets, at once. References have sockets only",
		set: setVia},
	{section: load, name: "in_process_share", kind: "number", def: "0.5", sweep: true, needs: need{key: "via", value: Mixed},
		about: "share of the connections that are in-process, and with them of an open loop's rate (above 0, below 1)",
		set:   number(func(d *draft) *float64 { return &d.point.Load.Inside })},
}

// settingKeys are the knobs of a topology, for all of them in the section settings or for one arm.
func settingKeys(section string, sweep bool, on func(*draft) *Settings) []key {
	choice := func(name, about string, at func(*Settings) *string) key {
		return key{section: section, name: name, kind: "word", sweep: sweep, about: about,
			set: word(func(d *draft) *string { return at(on(d)) })}
	}
	return []key{
		{section: section, name: "shards", kind: "count", sweep: sweep, about: "of the store: a power of two",
			set: count(func(d *draft) *int { return &on(d).Shards })},
		{section: section, name: "workers", kind: "count", sweep: sweep, about: "threads that execute requests",
			set: count(func(d *draft) *int { return &on(d).Workers })},
		choice("transport", "how bytes are read and written", func(s *Settings) *string { return &s.Transport }),
		choice("pin", "event loops to processors", func(s *Settings) *string { return &s.Pin }),
		choice("boundary", "what one lock, or one owner, guards", func(s *Settings) *string { return &s.Boundary }),
		choice("lock", "of a shard under a lock", func(s *Settings) *string { return &s.Lock }),
		choice("lock_scope", "how much of a batch is done under one hold of locks", func(s *Settings) *string { return &s.LockScope }),
		choice("route", "which bytes of a key choose its shard", func(s *Settings) *string { return &s.Route }),
		choice("cross_shard", "what to do with commands whose keys have several owners",
			func(s *Settings) *string { return &s.CrossShard }),
		choice("transactions", "which EXECs there are", func(s *Settings) *string { return &s.Transactions }),
		{section: section, name: "max_memory", kind: "size", sweep: sweep, about: "most that the entries may take",
			set: size(func(d *draft) *int { return &on(d).MaxMemory })},
		choice("max_memory_policy", "what gives way at max_memory", func(s *Settings) *string { return &s.MaxMemoryPolicy }),
	}
}

var armKeys = []key{
	{section: armList, name: "topology", kind: "word",
		about: "a registered topology; an arm that is one word is short for this",
		set:   setTopology},
	{section: armList, name: "reference", kind: "word",
		about: "or a server we did not write: a word for it",
		set:   word(func(d *draft) *string { return &d.arm.Reference })},
	{section: armList, name: "name", kind: "word",
		about: "in results and plots; default: the topology's or the reference's",
		set:   word(func(d *draft) *string { return &d.arm.Name })},
	{section: armList, name: "command", kind: "list",
		about: "the reference's program and arguments; \"{port}\" stands for the port it must listen on",
		set:   setCommand},
	{section: armList, name: "install", kind: "text",
		about: "how to get the reference, shown where it is absent",
		set:   text(func(d *draft) *string { return &d.arm.Install })},
	{section: armList, name: "optional", kind: "boolean", def: "false",
		about: "true: where the program is absent one line says so and the run goes on",
		set:   boolean(func(d *draft) *bool { return &d.arm.Optional })},
	{section: armList, name: "protocol", kind: "word",
		about: "of a reference: resp, memcached or http, whatever topologies get; default: resp",
		set:   word(func(d *draft) *string { return &d.arm.Protocol })},
}

var runKeys = []key{
	{section: runLength, name: "blocks", kind: "count", def: "6",
		about: "fresh processes of every arm; six are the fewest for a 95 % interval",
		set:   count(func(d *draft) *int { return &d.scenario.Run.Blocks })},
	{section: runLength, name: "sampling", kind: "word", def: evenSampling,
		about: "even: every point of a sweep gets as many blocks; adaptive: the same number in all, or fewer, but six for each point, or half of blocks where that is more, and the others " +
			"where it is not settled which arm is best, first beside a change of winner. A point has at most four looks, and up to four times as many blocks; intervals allow for that",
		set: setSampling},
	{section: runLength, name: "slices", kind: "duration", def: "50ms",
		about: "of one visit of an arm; or long: one visit of long_slice an arm a block",
		set:   setSlices},
	{section: runLength, name: "long_slice", kind: "duration", def: "5s", needs: need{key: "slices", value: longSlices},
		about: "of the one visit",
		set:   duration(func(d *draft) *time.Duration { return &d.long })},
	{section: runLength, name: "slices_per_block", kind: "count", def: "20",
		needs: need{key: "slices", value: longSlices, not: true},
		about: "visits of one arm in one block",
		set:   count(func(d *draft) *int { return &d.scenario.Run.SlicesPerBlock })},
	{section: runLength, name: "lead_in", kind: "duration", def: "3ms",
		about: "of load before each visit, not measured",
		set:   duration(func(d *draft) *time.Duration { return &d.scenario.Run.LeadIn })},
	{section: runLength, name: "warmup", kind: "duration", def: autoWarmup,
		about: "of load before a block's first visit; or auto: until rate, median response time and server CPU have come to a plateau",
		set:   setWarmup},
	{section: runLength, name: "warmup_max", kind: "duration", def: "3s", needs: need{key: "warmup", value: autoWarmup},
		about: "of load before a block's first visit, plateau or not",
		set:   duration(func(d *draft) *time.Duration { return &d.scenario.Run.WarmupMax })},
	{section: runLength, name: "cpus", kind: "table", def: autoCPUs,
		about: "auto: the run chooses; or {server: \"0\", client: \"1\"}: CPU lists as in \"0-3,8\"",
		set:   setCPUs},
	{section: runLength, name: "ceiling", kind: "word", def: autoCeiling,
		about: "auto: at the start, for every point, what the clients reach alone and against the null responder, so that each row can say " +
			"what share of it the arm has; off: neither",
		set: setCeiling},
}

// longSlices is the word that stands in slices for one long slice a block; autoCPUs the one in cpus, autoWarmup the one in warmup and
// autoCeiling that in ceiling.
const (
	longSlices  = "long"
	autoCPUs    = "auto"
	autoWarmup  = "auto"
	autoCeiling = "auto"

	evenSampling = "even" // the word in sampling for none other
)

// keyOf finds a key that is known to be there.
func keyOf(section, name string) key {
	for _, k := range schema {
		if k.section == section && k.name == name {
			return k
		}
	}
	panic("bug: no key " + section + "." + name)
}

// keysOf lists the keys of a section.
func keysOf(section string) []key {
	var ks []key
	for _, k := range schema {
		if k.section == section {
			ks = append(ks, k)
		}
	}
	return ks
}

func keyNames(ks []key) []string {
	s := make([]string, len(ks))
	for i, k := range ks {
		s[i] = k.name
	}
	return s
}

// Info is a name and one line about it, for lists.
type Info struct{ Name, About string }

// listed writes infos as one line.
func listed(infos []Info) string {
	s := make([]string, len(infos))
	for i, x := range infos {
		s[i] = x.Name + " (" + x.About + ")"
	}
	return strings.Join(s, ", ")
}

func names(infos []Info) []string {
	s := make([]string, len(infos))
	for i, x := range infos {
		s[i] = x.Name
	}
	return s
}

var distributions = []Info{
	{Uniform, "every key is drawn equally often"},
	{Zipfian, "the key of rank r is drawn in proportion to 1/r^s, s being zipf"},
	{Hotspot, "hot_ops of the operations go to hot_keys of the keys"},
	{Latest, "writes go round the keys, reads ask for what was written lately: zipfian, by age"},
	{Moving, "a hotspot that moves on with every hot_period operations"},
	{Sequential, "one key after the other, all connections together"},
	{HotShard, "hot_ops of the operations go to the keys of one shard"},
	{Popularity, "by a file of weights"},
}

// Distributions lists the distributions of keys that a workload may have.
func Distributions() []Info { return append([]Info(nil), distributions...) }
