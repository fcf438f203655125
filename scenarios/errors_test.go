package scenarios

import (
	"strings"
	"testing"
)

var known3 = Names{
	Topologies: []string{"shared", "shard-arc", "null"},
	Knobs:      map[string][]string{"transport": []string{"epoll", "netpoll"}},
}

// TestErrors has one broken file after another: the whole error, with its line, is what a user gets to see. A file
// gets the lines "name: x" before and, if it has no arms, "arms: [shared]" after it, unless it begins with "!".
func TestErrors(t *testing.T) {
	check := func(file, want string) {
		t.Helper()
		if !strings.HasPrefix(file, "!") {
			file = "name: x\n" + file
			if !strings.Contains(file, "arms:") {
				file += "\narms: [shared]\n"
			}
		}
		_, err := Parse("s/hot.yaml", []byte(strings.TrimPrefix(file, "!")), known3)
		if err == nil {
			t.Errorf("no error for\n%s\nwant %s", file, want)
			return
		}
		if got := strings.TrimPrefix(err.Error(), "s/hot.yaml:"); got != want {
			t.Errorf("for\n%s\ngot  %s\nwant %s", file, got, want)
		}
		if strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("more than one line: %q", err)
		}
	}

	// The file as a whole.
	check("!", "1: the file is empty; a scenario has at least a name and arms")
	check("!# only a comment\n", "1: the file is empty; a scenario has at least a name and arms")
	check("!- shared\n", "1: a scenario is a table of keys, as in name: hot-keys, not a list")
	check("!name: x\narms: [shared]\n---\nname: y\n", "4: a second YAML document begins here; one scenario a file")
	check("!name: x\nabout: \"\xff\"\n", "2: not UTF-8 text")
	check("load: {mode: [closed\n", "4: not YAML: ',' or ']' must be specified")
	check("load:\n\tmode: open\n", "3: not YAML: found character '\\t' that cannot start any token")
	check("seed: "+strings.Repeat("[", 20), "2: nested too deeply for a scenario")
	check("seed: &a 1\n", "2: scenario files have no anchors (&), aliases (*) or tags (!); write the value out, "+
		"in quotes if it begins with such a sign")
	check("<<: {seed: 1}\n", "2: scenario files have no merge keys (<<) or explicit keys (?); write key: value")
	check("? seed\n: 1\n", "2: scenario files have no merge keys (<<) or explicit keys (?); write key: value")
	check("&a seed: 1\n", "2: scenario files have no anchors, aliases or tags; write key: value")
	check("arms: "+strings.Repeat("- ", 20)+"x\n", "2: nested too deeply for a scenario")
	check("seed: "+strings.Repeat("1", maxFile), "1: longer than 64 KiB: not a scenario")

	// Keys.
	check("laod: {mode: open}\n", `2: unknown key "laod"; did you mean "load"? `+
		`have name, about, seed, slo, workload, load, groups, phases, steps, settings, arms, run`)
	check("load:\n  conections: 5\n", `3: unknown key "conections" in load; did you mean "connections"? `+
		`have mode, connections, pipeline, arrival, burst_on, burst_off, burst_share, `+
		`arrival_column, arrival_unit, arrival_speed, arrival_file, rate, rate_to, churn, spin, timeout, protocol, path, via, in_process_share`)
	check("load:\n  mode: closed\n  keys: 5\n", `4: unknown key "keys" in load; it belongs in workload`)
	check("blocks: 3\n", `2: unknown key "blocks"; it belongs in run`)
	check("seed: 1\nabout: x\nseed: 2\n", `4: duplicate key "seed"; it is already at s/hot.yaml:2`)
	check("load: {mode: open, mode: closed}\n", `2: duplicate key "mode"; it is already at s/hot.yaml:2`)

	// Types.
	check("load: open\n", "2: load: wants a table of keys such as mode, not one value")
	check("load:\n", "2: load: wants a table of keys such as mode, not nothing")
	check("seed: [1, 2]\n", "2: seed: wants one value; a list is a sweep, and this key cannot be swept")
	check("seed: -1\n", `2: seed: "-1" is not a seed; write a whole number from 0 to 2^64-1`)
	check("seed:\n", "2: seed: is empty; write a value or leave the key out")
	check("workload: {keys: {a: 1}}\n", "2: keys: wants one value, not a table")
	check("workload: {keys: [[1]]}\n", "2: keys: wants one value, not a list")
	check("run: {blocks: [3, 6]}\n", "2: blocks: wants one value; a list is a sweep, and this key cannot be swept")
	check("load: {mode: [open, closed]}\n", "2: mode: wants one value; a list is a sweep, and this key cannot be swept")

	check("workload: {preset: ycsb-x}", `2: preset: unknown preset "ycsb-x"; did you mean "ycsb-a"? `+
		"have ycsb-a, ycsb-b, ycsb-c, ycsb-d, ycsb-e, ycsb-f, fb-etc, twitter-cluster")

	// Laws.
	check("workload: {keys: 1M, key_size: 7..20}", `2: key_size: 7 bytes cannot hold the number of the last of 1000000 keys; use at least 8`)
	check("workload: {key_size: 16..65KiB}", `2: key_size: "65KiB" is out of range: 3 to 64KiB`)
	check("workload: {trace: none.csv}", "2: trace: none.csv: no such file or directory")
	check("workload: {trace: testdata}", `2: trace: "testdata" is not a file`)
	check("workload: {trace: testdata/sizes.txt, keys: 10}", "2: keys: has no meaning with trace, which says it")
	check("workload: {trace: testdata/sizes.txt, mix: {get: 1}}", "2: mix: has no meaning with trace, which says it")
	check("workload: {trace: [a, b]}", "2: trace: wants one value; a list is a sweep, and this key cannot be swept")
	check("load: {mode: open, arrival: trace}", "2: arrival: trace needs a workload.trace, whose times it takes")
	check("workload: {trace: testdata/sizes.txt}\nload: {mode: open, arrival: trace, rate: 5}",
		"3: rate: has no meaning with arrival: trace, whose times say it; see arrival_speed")
	check("load: {mode: open, rate: 5, arrival_speed: 2}", "2: arrival_speed: has no meaning with arrival: poisson; it needs arrival: file or trace")
	check("workload: {value_size: 9..8}", `2: value_size: "9..8" goes down; write the smaller number first`)
	check("workload: {value_size: 0..8}", `2: value_size: "0" is out of range: 1 to 16MiB`)
	check("workload: {value_size: pareto(1)}", `2: value_size: "pareto(1)" is not a law; write one, or 64..1024, `+
		"lognormal(median, sigma[, most]), weights(64: 9, 1KiB: 1), file(name); the middle two in quotes")
	check(`workload: {value_size: "lognormal(64)"}`,
		`2: value_size: "lognormal(64)": write lognormal(median, sigma) or lognormal(median, sigma, most)`)
	check(`workload: {value_size: "lognormal(64, 0)"}`,
		`2: value_size: "lognormal(64, 0)": sigma is a number above 0, up to 10`)
	check(`workload: {value_size: "weights(64)"}`,
		`2: value_size: "weights(64)": "64" is not a number with a weight from 0 to 1000000`)
	check(`workload: {value_size: "weights(64: 0)"}`, `2: value_size: "weights(64: 0)": the weights sum to 0`)
	check(`workload: {value_size: file(none.txt)}`, "2: value_size: none.txt: no such file or directory")
	check("workload: {value_random: 0}", "2: value_random: 0 is out of range: above 0, up to 1")

	// What operations need.
	check("workload: {mix: {setex: 1}}", "2: ttl: is missing; operations of the mix need one, as in ttl: 1m or ttl: 1s..60s")
	check("workload: {ttl: 1s}", "2: ttl: has no meaning without setex, expire or {ttl} in the mix")
	check("workload: {mix: {setex: 1}, ttl: 1.5ms}", `2: ttl: "1.5ms" is not a whole number of milliseconds`)
	check("workload: {keys_per_op: 2}", "2: keys_per_op: has no meaning without mget or mset in the mix")
	check("workload: {cross_share: 0}", "2: cross_share: has no meaning without mget or mset in the mix")
	check("workload: {mix: {mget: 1}, keys_per_op: 1, cross_share: 0.5}",
		"2: cross_share: 0.5 with keys_per_op: 1 is out of range: 0 to 1, and 0 for one key")
	check("workload: {skew_shards: 2}", "2: skew_shards: has no meaning without distribution: hot-shard or cross_share")
	check(`workload: {mix: {"HSET {key} f x{value}": 1}}`, `2: mix: "x{value}" in the command "HSET {key} f x{value}": `+
		"write words, {key} alone or in one, and {value} and {ttl} alone")
	check("workload: {mix: {mget: 1}}\nload: {protocol: scnp}", `2: mix: "MGET" has no counterpart in scnp, which has get, set, del, `+
		`incr, setex, expire, decr, exists, rmw; use protocol: resp`)

	// Distributions of keys.
	check("workload: {distribution: hotspot, hot_ops: 1.5}", "2: hot_ops: 1.5 is out of range: above 0, up to 1")
	check("workload: {distribution: hotspot, hot_keys: 1}", "2: hot_keys: 1 is out of range: above 0, below 1")
	check("workload: {distribution: hotspot, hot_ops: 0.1}", "2: hot_keys: 0.2 of 100000 keys would not be hot "+
		"with 0.1 of the operations; use a smaller share")
	check("workload: {hot_keys: 0.1}", "2: hot_keys: has no meaning with distribution: uniform; "+
		"it needs distribution: hotspot or moving")
	check("workload: {distribution: moving, hot_drift: 0}", "2: hot_drift: 0 is out of range: above 0, up to 1000")
	check("workload: {distribution: moving, hot_period: 0}", "2: hot_period: 0 is out of range: 1 to 1G")
	check("workload: {distribution: hot-shard, skew_shards: 3}",
		"2: skew_shards: 3 is out of range: 2 to 16384, a power of two")
	check("workload: {distribution: hot-shard, hot_shard: 16}",
		"2: hot_shard: there is no shard 16 of 16; they are counted from 0")
	check("workload: {distribution: latest, scramble: true}", "2: scramble: has no meaning with distribution: latest; "+
		"it needs distribution: zipfian or hotspot or popularity")
	check("workload: {distribution: popularity}", "2: popularity: is missing; "+
		"write the name of a file with a weight on each line, as in popularity: weights.txt")
	check("workload: {distribution: popularity, popularity: testdata}", `2: popularity: "testdata" is not a file`)
	check("workload: {distribution: popularity, popularity: none.txt}",
		"2: popularity: none.txt: no such file or directory")
	check("workload: {distribution: popularity, popularity: testdata/rising.txt}",
		"2: popularity: testdata/rising.txt, line 3: 7 is more than the weight before it; the most popular key comes first")
	check("workload: {distribution: popularity, popularity: doc.go}",
		`2: popularity: doc.go, line 1: "// Package scenarios says what a run mea" is not a weight; write a number from 0`)
	check("workload: {keys: 2, distribution: popularity, popularity: testdata/weights.txt}",
		"2: popularity: 4 is out of range: 1 to 2 weights, one a key")

	check("load: {spin: 1ms}", "2: spin: has no meaning with mode: closed; it needs mode: open")
	check("load: {mode: open, rate: 5k, spin: 2s}", "2: spin: 2s is out of range: 0s to 1s")

	check("load: {timeout: 2m}", "2: timeout: 2m0s is out of range: 0s to 1m")

	// Arrivals.
	open := func(keys string) string { return "load: {mode: open, " + keys + "}\n" }
	check("load: {burst_on: 1s}\n", "2: burst_on: has no meaning with mode: closed; it needs mode: open")
	check(open("rate: 5k, burst_on: 1s"), "2: burst_on: has no meaning with arrival: poisson; it needs arrival: bursts")
	check(open("rate: 5k, arrival: bursts, burst_on: 0s"), "2: burst_on: 0s is out of range: 1µs to 24h")
	check(open("rate: 5k, arrival: bursts, burst_share: 0.1"),
		"2: burst_share: 0.1 in bursts that take 0.2 of the time; use that to 1")
	check(open("rate: 1, arrival: bursts, burst_on: 1us, burst_off: 1us"),
		"2: burst_on: bursts every 2µs would be empty at 1/s; use longer ones")
	check(open("arrival: bursts"), "2: rate: is missing; an open loop needs one, in operations per second, as in rate: 10k")
	check(open("arrival: file"), "2: arrival_file: is missing; "+
		"write the name of a file with a time on each line, as in arrival_file: times.csv")
	check(open("arrival: file, rate: 5k, arrival_file: testdata/times.csv, arrival_column: at"),
		"2: rate: has no meaning with arrival: file, whose times say it; see arrival_speed")
	file := func(keys, want string) {
		t.Helper()
		check(open("arrival: file, "+keys), "2: arrival_file: "+want)
	}
	file("arrival_file: none.csv", "none.csv: no such file or directory")
	file("arrival_file: testdata/times.csv", `testdata/times.csv, line 2: "op" is not a time; write a number from 0`)
	file("arrival_file: testdata/times.csv, arrival_column: when",
		`testdata/times.csv, line 1: no column "when"; have op, at`)
	file("arrival_file: testdata/rising.txt", "a rate of 0.5 is out of range: 1 to 100M")
	file("arrival_file: testdata/weights.txt", `testdata/weights.txt, line 3: 5 is before the time on the line before; sort the file`)
	file("arrival_file: testdata/times.csv, arrival_column: at, arrival_speed: 0.0001",
		"a rate of 0.1 is out of range: 1 to 100M")
	check(open("arrival: file, arrival_file: testdata/times.csv, arrival_column: at, arrival_speed: 0"),
		"2: arrival_speed: 0 is out of range: 0.0001 to 10000")
	check(open("arrival: file, arrival_file: testdata/times.csv, arrival_unit: h"),
		`2: arrival_unit: unknown unit "h"; have s, ms, us, ns`)

	// Units.
	const notCount = " is not a count; write digits, with k, M or G for thousands, millions, billions, as in 100k"
	check("workload:\n  keys: 100KiB\n", `3: keys: "100KiB"`+notCount)
	check("workload: {keys: 1.5}\n", `2: keys: "1.5"`+notCount)
	check("load: {connections: -3}\n", `2: connections: "-3"`+notCount)
	check("load: {pipeline: many}\n", `2: pipeline: "many"`+notCount)
	check("workload: {value_size: 4k}\n",
		`2: value_size: "4k" is not a size; write bytes, with B, KiB, MiB or GiB or without, `+
			`as in 64 or 4KiB`)
	check("workload: {expected_misses: 1.5}\n", `2: expected_misses: 1.5 is out of range: 0 to 1`)
	check("run: {warmup: 300}\n", `2: warmup: "300" is neither a duration, as in 300ms, nor auto`)
	check("run: {slices: 50}\n", `2: slices: "50" is neither a duration, as in 50ms, nor long`)
	check("workload: {distribution: zipfian, zipf: .inf}\n", `2: zipf: ".inf" is not a number; `+
		`write a decimal fraction without a sign, as in 0.99`)

	// Ranges.
	check("workload:\n  keys: 0\n", "3: keys: 0 is out of range: 1 to 1G")
	check("workload: {keys: 2G}\n", "2: keys: 2000000000 is out of range: 1 to 1G")
	check("workload: {value_size: 17MiB}\n", `2: value_size: "17MiB" is out of range: 1 to 16MiB`)
	check("workload: {distribution: zipfian, zipf: 0}\n", "2: zipf: 0 is out of range: above 0, up to 10")
	check("workload: {distribution: zipfian, zipf: 10.1}\n", "2: zipf: 10.1 is out of range: above 0, up to 10")
	check("workload: {distribution: pareto}\n", `2: distribution: unknown distribution "pareto"; have uniform, zipfian, hotspot, latest, moving, sequential, hot-shard, popularity`)
	check("load: {mode: opne}\n", `2: mode: unknown mode "opne"; did you mean "open"? have closed, open`)
	check("load: {mode: open, rate: 5k, arrival: fixed}\n", `2: arrival: unknown arrival law "fixed"; have poisson, uniform, bursts, file, trace`)
	check("settings:\n  shards: 12\n", "3: shards: 12 is not a power of two; use 8 or 16")
	check("settings: {shards: 0}\n", "2: shards: 0 is out of range: 1 to 16384")
	check("settings: {transport: epol}\n",
		`2: transport: unknown transport "epol"; did you mean "epoll"? have epoll, netpoll`)
	check("settings: {transport: \"\"}\n", "2: transport: is empty; write a value or leave the key out")
	check("run: {slices: 1ms}\n", "2: slices: 1ms is out of range: 5ms to 1m")
	check("run:\n  slices: long\n  long_slice: 25h\n", "4: long_slice: 25h0m0s is out of range: 5ms to 24h")
	check("load: {path: /x}\n", "2: path: has no meaning with protocol: resp; it needs protocol: http")
	check("load: {protocol: http, path: /x}\n", "2: path: \"/x\" has not {key} once, behind a slash, without blanks; "+
		"use one such as /v1/keys/{key}")
	check("load: {protocol: http, pipeline: 4}\n", "2: pipeline: 4 requests in flight on a connection are not for http; "+
		"use 1, and more connections")
	check("run: {lead_in: -1ms}\n", "2: lead_in: -1ms is out of range: 0s to 10s")
	check("run: {cpus: all}\n", `2: cpus: wants the CPUs of both sides; `+
		`write auto, or CPU lists in quotes as in {server: "0-3,8", client: "4"}`)
	check("run: {cpus: {server: 0}}\n", `2: cpus: one side has none; `+
		`write auto, or CPU lists in quotes as in {server: "0-3,8", client: "4"}`)
	check("run: {cpus: {server: 3-1, client: 0}}\n", `2: server: "3-1" is not a CPU list: the range 3-1 runs backwards`)
	check("!name: Hot Keys\narms: [shared]\n", `1: name: "Hot Keys" is not a name; use up to 64 lower-case letters, `+
		`digits, '.', '_', '-', a letter or digit first`)
	check("!arms: [shared]\n", "1: name: is missing; a scenario needs one, as in name: hot-keys")
	check("about: \"two\\nlines\"\n", `2: about: "two\nlines" has a line break or a control character; write one line`)

	// Combinations.
	check("load:\n  mode: closed\n  rate: 5k\n", "4: rate: has no meaning with mode: closed; it needs mode: open")
	check("load:\n  rate: 5k\n", "3: rate: has no meaning with mode: closed; it needs mode: open")
	check("load:\n  pipeline: 4\n  mode: open\n  rate: 5k\n",
		"3: pipeline: has no meaning with mode: open; it needs mode: closed")
	check("load:\n  connections: 5\n  mode: open\n", "4: rate: is missing; "+
		"an open loop needs one, in operations per second, as in rate: 10k")
	check("workload:\n  distribution: uniform\n  zipf: 0.9\n", "4: zipf: has no meaning with distribution: uniform; "+
		"it needs distribution: zipfian or latest")
	check("workload:\n  distribution: [uniform]\n  zipf: 0.9\n", "4: zipf: has no meaning with distribution: uniform; "+
		"it needs distribution: zipfian or latest")
	check("workload:\n  distribution: [uniform, zipfian]\n  zipf: [0.5, 1]\n", "4: zipf: cannot be swept while "+
		"distribution is: the points without it would be the same; make it one value")
	check("workload:\n  keys: 10M\n  key_size: 8\n", "4: key_size: 8 bytes cannot hold the number of the last of "+
		"10000000 keys; use at least 9")
	check("workload:\n  key_size: [16,\n    8]\n  keys: [1M,\n    10M]\n",
		"4: key_size: 8 bytes cannot hold the number "+
			"of the last of 10000000 keys; use at least 9")
	check("run: {slices: long, slices_per_block: 4}\n", "2: slices_per_block: has no meaning with slices: long; "+
		"it needs slices other than long")
	check("run: {long_slice: 4s}\n", "2: long_slice: has no meaning with slices: 50ms; it needs slices: long")

	// Sampling.
	const sweep = "load: {connections: [1, 2]}\n"
	check(sweep+"run: {sampling: sometimes}\n", `3: sampling: unknown way to sample "sometimes"; have even, adaptive`)
	check(sweep+"run: {sampling: [even, adaptive]}\n", "3: sampling: wants one value; a list is a sweep, and this key cannot be swept")
	check(sweep+"run: {sampling: adaptive}\n", "3: blocks: 6 leave nothing to deal out with sampling: adaptive, where every point gets 6; use 7 or more, or sampling: even")
	check("run: {sampling: adaptive, blocks: 7}\n", "2: sampling: adaptive deals blocks out among points, and there is one; sweep a key, as in load: {connections: [1, 8, 64]}")
	check(sweep+"run: {sampling: adaptive, blocks: 7}\ngroups: [{name: a}, {name: b}]\n",
		"3: sampling: adaptive asks which arm is best at a point, and with groups or phases a point has several answers; use even")

	// The mix.
	check("workload: {mix: 90}\n", "2: mix: wants weights, as in {get: 90, set: 10}, not one value")
	check("workload: {mix: {}}\n", "2: mix: names no operation; give weights, as in {get: 90, set: 10}")
	check("workload:\n  mix:\n    get: 0\n    set: 0\n",
		"3: mix: the weights sum to 0; give at least one operation a share, "+
			"as in {get: 90, set: 10}")
	check("workload:\n  mix:\n    get: 1\n    sett: 0\n",
		`5: mix: unknown operation "sett"; did you mean "set"? `+
			"have get, set, del, incr, mget, mset, setex, expire, decr, exists, rmw")
	check("workload:\n  mix:\n    get: -1\n", `4: get: "-1" is not a number; `+
		`write a decimal fraction without a sign, as in 0.99`)
	check("workload: {mix: {get: 2000000}}\n", `2: get: "2000000" is out of range: 0 to 1000000`)

	// Sweeps.
	check("load:\n  pipeline: []\n", "3: pipeline: the list is empty; a sweep needs at least one value")
	check("load:\n  rate: 1k\n  pipeline: [1,\n   x]\n", `5: pipeline: "x"`+notCount)
	check("workload:\n  keys: [1k,\n   1000]\n", `4: keys: "1000" is in the sweep twice`)
	check("workload:\n  keys: ["+listOf(20)+"]\nload:\n  pipeline: ["+listOf(11)+"]\n",
		"5: pipeline: makes a sweep of 220 points; use at most 200")
	check("load: {pipeline: ["+listOf(201)+"]}\n", "2: pipeline: makes a sweep of 201 points; use at most 200")

	// Arms.
	const likeArms = "as in arms: [shared, multi-direct]"
	check("!name: x\n", "1: arms: is missing; name what to compare, "+likeArms)
	check("arms: []\n", "2: arms: the list is empty; name what to compare, "+likeArms)
	check("arms:\n", "2: arms: is empty; name what to compare, "+likeArms)
	check("arms: shared\n", "2: arms: wants a list, "+likeArms+", not one value")
	check("arms:\n- shared\n- stripped\n", `4: topology: unknown topology "stripped"; have shared, shard-arc, null`)
	check("arms:\n- topology: shraed\n", `3: topology: unknown topology "shraed"; did you mean "shared"? `+
		`have shared, shard-arc, null`)
	check("arms:\n- ~\n", "3: topology: is empty; write a value or leave the key out")
	check("arms:\n- [shared]\n", "3: arms: an arm is a word or a table, not a list")
	check("arms:\n- shared\n- topology: shared\n", `4: two arms are named "shared", the other at s/hot.yaml:3; `+
		`give one another name`)
	check("arms:\n- name: a\n", "3: topology: an arm needs one, or a reference; have shared, shard-arc, null")
	check("arms:\n- topology: shared\n  reference: redis\n",
		"4: reference: an arm is a topology or a reference, not both; "+
			"make them two arms")
	check("arms:\n- topology: shared\n  shards: [1, 2]\n", "4: shards: wants one value; a list is a sweep, "+
		"and this key cannot be swept")
	check("arms:\n- topology: shared\n  wrokers: 2\n", `4: unknown key "wrokers" in arms; did you mean "workers"? `+
		"have topology, reference, name, command, install, optional, protocol, shards, workers, transport, "+
		"pin, boundary, lock, lock_scope, route, cross_shard, transactions, max_memory, max_memory_policy")
	check("arms:\n- topology: shared\n  optional: true\n",
		"4: optional: has no meaning for a topology; it needs a reference")
	check("arms:\n- topology: shared\n  shards: 3\n", "4: shards: 3 is not a power of two; use 2 or 4")
	check("arms:\n- reference: redis\n", `3: command: reference redis needs a program and its arguments, `+
		`as in [redis-server, --port, "{port}"]`)
	check("arms:\n- reference: redis\n  command: [redis-server, --port, 6379]\n",
		`4: command: reference redis is not told `+
			`its port: none of its arguments has {port}, as in [redis-server, --port, "{port}"]`)
	check("arms:\n- reference: redis\n  command: [redis-server, {port}]\n",
		`4: command: {port} without quotes is a table `+
			`in YAML; write "{port}"`)
	check("arms:\n- reference: redis\n  command: redis-server\n", `4: command: wants a list of the program and its `+
		`arguments, as in [redis-server, --port, "{port}"], not one value`)
	check("arms:\n- reference: redis\n  command: [r, \"{port}\"]\n  workers: 3\n",
		"5: workers: a reference takes no settings of "+
			"a topology; put its options into its command")
	check("arms:\n- reference: redis\n  command: [r, \"{port}\"]\n  optional: yes\n",
		`5: optional: "yes" is neither true nor false`)
	check("arms: ["+strings.Repeat("shared, ", 33)+"]\n", "2: arms: 33 arms are too many; use at most 32")
}

// listOf is "1, 2, 3" up to n.
func listOf(n int) string {
	s := make([]string, n)
	for i := range s {
		s[i] = asPlain(int64(i + 1))
	}
	return strings.Join(s, ", ")
}

// TestLinesOfWindowsFiles holds that carriage returns and a byte order mark do not move the line.
func TestLinesOfWindowsFiles(t *testing.T) {
	file := "\xef\xbb\xbfname: x\r\n\r\n# note\r\nload:\r\n  pipeline: 0\r\narms: [shared]\r\n"
	_, err := Parse("w.yaml", []byte(file), known3)
	if want := "w.yaml:5: pipeline: 0 is out of range: 1 to 1024"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
