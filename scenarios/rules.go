package scenarios

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
)

// Names are the words that other packages define. An empty list leaves words of its kind unchecked.
type Names struct {
	Topologies []string            // responders included
	Knobs      map[string][]string // the words of the keys in settings that have some
}

func (s *Scenario) checkHead() *fault {
	return first(goodWord("name", s.Name), oneLine("about", s.About), s.SLO.check())
}

func (p *Point) check(names Names) *fault {
	return first(p.Workload.check(), p.Load.check(), p.Settings.check(names), p.speakable(), p.checkTrace())
}

func (w *Workload) check() *fault {
	if w.Trace != "" {
		return w.checkTraced()
	}
	f := first(within("keys", w.Keys), within("key_size", w.KeySize), within("value_size", w.ValueSize),
		oneOf("distribution", "distribution", w.Distribution, names(distributions)))
	if f != nil {
		return f
	}
	shortest := w.KeySize
	if w.KeyLaw != nil {
		shortest = w.KeyLaw.Min
	}
	if least := w.leastKey(); shortest < least {
		return &fault{keys: []string{"key_size"}, near: "keys", text: fmt.Sprintf(
			"%d bytes cannot hold the number of the last of %d keys; use at least %d", shortest, w.Keys, least)}
	}
	if f := w.checkKeyLaw(); f != nil {
		return f
	}
	return first(w.checkMix(), w.checkOps())
}

// checkKeyLaw checks the keys that some distributions have, and that the others have none.
func (w *Workload) checkKeyLaw() *fault {
	for _, x := range []struct {
		key  string
		is   float64
		good bool
		fine string
	}{
		{"zipf", w.Zipf, w.Zipf > 0 && w.Zipf <= MaxZipf, fmt.Sprintf("above 0, up to %g", MaxZipf)},
		{"hot_ops", w.HotOps, w.HotOps > 0 && w.HotOps <= 1, "above 0, up to 1"},
		{"hot_keys", w.HotKeys, w.HotKeys > 0 && w.HotKeys < 1, "above 0, below 1"},
		{"hot_period", float64(w.HotPeriod), limits["hot_period"].holds(int64(w.HotPeriod)), limits["hot_period"].String()},
		{"hot_drift", w.HotDrift, w.HotDrift > 0 && w.HotDrift <= MaxDrift, fmt.Sprintf("above 0, up to %g", MaxDrift)},
		{"hot_shard", float64(w.HotShard), true, ""},
		{"skew_shards", float64(w.SkewShards), w.SkewShards == 0 || limits["skew_shards"].holds(int64(w.SkewShards)) &&
			bits.OnesCount(uint(w.SkewShards)) == 1, limits["skew_shards"].String() + ", a power of two"},
		{"popularity", float64(len(w.Weights)), len(w.Weights) > 0 && len(w.Weights) <= w.Keys,
			fmt.Sprintf("1 to %d weights, one a key", w.Keys)},
	} {
		k := keyOf(workload, x.key)
		switch met := k.needs.met(w.Distribution); {
		case met && !x.good:
			return faultf(x.key, "%g is out of range: %s", x.is, x.fine)
		case x.is != 0 && !met:
			return faultf(x.key, "has no meaning with distribution: %s; it needs %s", w.Distribution, k.needs)
		}
	}
	switch {
	case w.SkewShards != 0 && w.Distribution != HotShard && w.CrossShare == nil:
		return faultf("skew_shards", "has no meaning without distribution: hot-shard or cross_share")
	case w.HotShard < 0 || w.HotShard > 0 && w.HotShard >= w.SkewShards:
		return faultf("hot_shard", "there is no shard %d of %d; they are counted from 0", w.HotShard, w.SkewShards)
	case w.HotKeys != 0 && (w.HotOps < w.HotKeys || w.HotKeys*float64(w.Keys) > float64(w.Keys)-1):
		return faultf("hot_keys", "%g of %d keys would not be hot with %g of the operations; use a smaller share",
			w.HotKeys, w.Keys, w.HotOps)
	}
	return nil
}

func (w *Workload) checkMix() *fault {
	sum := 0.0
	last, commands := -1, map[string]bool{}
	for _, m := range w.Mix {
		i := slices.Index(operations, strings.ToLower(m.Op))
		switch isCommand := strings.ContainsAny(m.Op, " \t"); {
		case isCommand && checkCommand(m.Op) != "":
			return faultf("mix", "%s", checkCommand(m.Op))
		case !isCommand && (i < 0 || m.Op != strings.ToUpper(m.Op)):
			return faultf("mix", "%s", unknown("operation", m.Op, operations))
		case !(m.Share > 0) || !isCommand && (i <= last || len(commands) > 0) || commands[m.Op]:
			return faultf("mix", "shares must be above 0, one an operation, in order")
		case isCommand:
			commands[m.Op] = true
		default:
			last = i
		}
		sum += m.Share
	}
	if len(commands) > maxCommands {
		return faultf("mix", "%d commands are too many; use at most %d", len(commands), maxCommands)
	}
	if !(math.Abs(sum-1) < 1e-9) {
		return faultf("mix", "the shares sum to %g, not to 1", sum)
	}
	return nil
}

// maxCommands is how many commands a mix may have beside the operations.
const maxCommands = 8

// speakable says which operation of a mix cannot be sent in the protocol of the load.
func (p *Point) speakable() *fault {
	for _, m := range p.Workload.Mix {
		if err := Speaks(p.Load.Protocol, m.Op); err != nil {
			return &fault{keys: []string{"mix"}, near: "protocol", text: err.Error()}
		}
	}
	return nil
}

// vocabulary lists the operations of the protocols that do not have all of them.
var vocabulary = map[string][]string{
	SCNP:      {"get", "set", "del", "incr", "setex", "expire", "decr", "exists", "rmw"},
	Memcached: {"get", "set", "del", "incr", "mget", "setex", "expire", "decr", "rmw"},
	HTTP:      {"get", "set", "del", "setex", "exists", "rmw"},
}

// Speaks is an error where an operation of a mix, in capitals or a command, cannot be sent in a protocol.
func Speaks(protocol, op string) error {
	words, limited := vocabulary[protocol]
	if !limited || slices.Contains(words, strings.ToLower(op)) {
		return nil
	}
	return fmt.Errorf("%s has no counterpart in %s, which has %s; use protocol: resp", quote(op), protocol, strings.Join(words, ", "))
}

func (l *LoadPlan) check() *fault {
	f := first(oneOf("mode", "mode", l.Mode, []string{Closed, Open}), within("connections", l.Connections),
		oneOf("protocol", "protocol", cmp.Or(l.Protocol, RESP), []string{RESP, SCNP, Memcached, HTTP}))
	if f != nil {
		return f
	}
	if f := first(l.checkPath(), l.checkVia(), withinTime("timeout", l.Timeout), l.checkShape()); f != nil {
		return f
	}
	if l.Mode == Closed {
		switch {
		case l.Rate != 0 || l.Arrival != "":
			return faultf("rate", "has no meaning with mode: closed; it needs mode: open")
		case l.Spin != 0:
			return faultf("spin", "has no meaning with mode: closed; it needs mode: open")
		}
		return within("pipeline", l.Pipeline)
	}
	if l.Pipeline != 0 {
		return faultf("pipeline", "has no meaning with mode: open; it needs mode: closed")
	}
	if f := first(l.checkArrival(), withinTime("spin", l.Spin)); f != nil {
		return f
	}
	if l.Arrival == Traced {
		if l.Rate != 0 {
			return faultf("rate", "has no meaning with arrival: trace, whose times say it")
		}
		return nil
	}
	if r := limits["rate"]; !(l.Rate >= float64(r.min) && l.Rate <= float64(r.max)) {
		if l.Arrival == Timestamps {
			return faultf("arrival_file", "a rate of %g is out of range: %s", l.Rate, r)
		}
		return faultf("rate", "%g is out of range: %s", l.Rate, r)
	}
	return nil
}

// InsideConnections is how many of the connections are in-process: the last ones.
func (l *LoadPlan) InsideConnections() int {
	switch l.Via {
	case InProcess:
		return l.Connections
	case Mixed:
		return min(max(int(math.Round(l.Inside*float64(l.Connections))), 1), l.Connections-1)
	}
	return 0
}

func (l *LoadPlan) checkVia() *fault {
	if f := oneOf("via", "way", cmp.Or(l.Via, Socket), []string{Socket, InProcess, Mixed}); f != nil {
		return f
	}
	switch mixed := l.Via == Mixed; {
	case l.Via == InProcess && cmp.Or(l.Protocol, RESP) != RESP:
		return &fault{keys: []string{"protocol"}, near: "via", text: l.Protocol + " has no meaning with via: in-process, where nothing is " +
			"encoded; leave it out"}
	case mixed && !(l.Inside > 0 && l.Inside < 1):
		return faultf("in_process_share", "%g is out of range: above 0, below 1; 0 is via: socket, 1 is via: in-process", l.Inside)
	case !mixed && l.Inside != 0:
		return faultf("in_process_share", "has no meaning with via: %s; it needs via: mixed", cmp.Or(l.Via, Socket))
	case mixed && l.Connections < 2:
		return &fault{keys: []string{"connections"}, near: "via", text: "one connection cannot be mixed; use 2 or more"}
	}
	return nil
}

func (l *LoadPlan) checkPath() *fault {
	switch {
	case l.Protocol != HTTP:
		if l.Path != "" {
			return faultf("path", "has no meaning with protocol: %s; it needs protocol: %s", cmp.Or(l.Protocol, RESP), HTTP)
		}
	case !strings.HasPrefix(l.Path, "/") || strings.Count(l.Path, "{key}") != 1 ||
		strings.ContainsFunc(l.Path, func(r rune) bool { return r <= ' ' || r > '~' }):
		return faultf("path", "%s has not {key} once, behind a slash, without blanks; use one such as /v1/keys/{key}", quote(l.Path))
	case l.Pipeline > 1:
		return faultf("pipeline", "%d requests in flight on a connection are not for http; use 1, and more connections", l.Pipeline)
	}
	return nil
}

// check lets zero fields be: they are the preset's.
func (s *Settings) check(names Names) *fault {
	if s.Shards != 0 {
		if f := within("shards", s.Shards); f != nil {
			return f
		}
		if bits.OnesCount(uint(s.Shards)) != 1 {
			below := 1 << (bits.Len(uint(s.Shards)) - 1)
			return faultf("shards", "%d is not a power of two; use %d or %d", s.Shards, below, 2*below)
		}
	}
	for _, k := range s.knobs() {
		var f *fault
		if k.word != nil {
			f = known(k.key, *k.word, names.Knobs[k.key])
		} else if *k.number != 0 {
			f = within(k.key, *k.number)
		}
		if f != nil {
			return f
		}
	}
	return nil
}

// known checks a word of another package, "" for its default.
func known(key, word string, have []string) *fault {
	switch {
	case word == "":
		return nil
	case len(have) == 0:
		return goodWord(key, word)
	}
	return oneOf(key, key, word, have)
}

func (r *RunPlan) check() *fault {
	length := "slices"
	if r.Long {
		length = "long_slice"
		if r.SlicesPerBlock != 1 {
			return faultf("slices_per_block", "%d has no meaning with slices: long; it is 1", r.SlicesPerBlock)
		}
	}
	f := first(within("blocks", r.Blocks), withinTime(length, r.Slice), within("slices_per_block", r.SlicesPerBlock),
		withinTime("lead_in", r.LeadIn), withinTime("warmup", r.Warmup))
	if f == nil && r.WarmupMax != 0 {
		f = withinTime("warmup_max", r.WarmupMax)
	}
	if f == nil {
		f = oneOf("ceiling", "ceiling", cmp.Or(r.Ceiling, autoCeiling), []string{autoCeiling, Off})
	}
	if f == nil {
		f = oneOf("sampling", "way to sample", cmp.Or(r.Sampling, evenSampling), []string{evenSampling, Adaptive})
	}
	if f == nil && r.Sampling == Adaptive && r.Blocks < MinAdaptive {
		f = &fault{keys: []string{"blocks"}, near: "sampling", text: fmt.Sprintf("%d leave nothing to deal out with sampling: adaptive, where every point gets 6; use %d or more, or sampling: even", r.Blocks, MinAdaptive)}
	}
	if f != nil || r.CPUs.Auto() {
		return f
	}
	for _, text := range []string{r.CPUs.Server, r.CPUs.Client} {
		if cpus, err := ParseCPUs(text); err != nil {
			return faultf("cpus", "%v", err)
		} else if FormatCPUs(cpus) != text {
			return faultf("cpus", "%s is not in its shortest form, %s", quote(text), FormatCPUs(cpus))
		}
	}
	return nil
}

// checkSampling checks that there is something to choose from.
func (s *Scenario) checkSampling() *fault {
	switch {
	case s.Run.Sampling != Adaptive:
		return nil
	case len(s.Points) < 2:
		return faultf("sampling", "adaptive deals blocks out among points, and there is one; sweep a key, as in load: {connections: [1, 8, 64]}")
	}
	for _, p := range s.Points {
		if len(p.Groups)+len(p.Phases) > 0 {
			return faultf("sampling", "adaptive asks which arm is best at a point, and with groups or phases a point has several answers; use even")
		}
	}
	return nil
}

// portMark stands in a reference's command for the port it must listen on.
const portMark = "{port}"

func (a *Arm) check(names Names) *fault {
	switch {
	case a.Topology == "" && a.Reference == "":
		return faultf("topology", "an arm needs one, or a reference; have %s", strings.Join(names.Topologies, ", "))
	case a.Topology != "" && a.Reference != "":
		return faultf("reference", "an arm is a topology or a reference, not both; make them two arms")
	case a.Topology != "":
		if len(a.Command) > 0 || a.Install != "" || a.Optional || a.Protocol != "" {
			return &fault{keys: []string{"command", "install", "optional", "protocol"},
				text: "has no meaning for a topology; it needs a reference"}
		}
		return first(known("topology", a.Topology, names.Topologies), goodWord("name", a.Name), a.Settings.check(names))
	case a.Settings != Settings{}:
		return &fault{keys: keyNames(settingKeys(armList, false, nil)),
			text: "a reference takes no settings of a topology; put its options into its command"}
	}
	return first(goodWord("reference", a.Reference), goodWord("name", a.Name), oneLine("install", a.Install),
		oneOf("protocol", "protocol", cmp.Or(a.Protocol, RESP), []string{RESP, Memcached, HTTP}), a.checkCommand())
}

func (a *Arm) checkCommand() *fault {
	const like = `as in [redis-server, --port, "{port}"]`
	if len(a.Command) == 0 || a.Command[0] == "" {
		return faultf("command", "reference %s needs a program and its arguments, %s", a.Reference, like)
	}
	if !strings.Contains(strings.Join(a.Command[1:], "\n"), portMark) {
		return faultf("command", "reference %s is not told its port: none of its arguments has %s, %s",
			a.Reference, portMark, like)
	}
	return nil
}
