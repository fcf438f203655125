package scenarios

import (
	"fmt"
	"slices"
)

// preset is a workload that others have published: defaults for the keys of a workload, each of which may be written
// nevertheless.
type preset struct {
	name, about, source string
	keys                string // YAML
}

// The mixes, popularity and record size of YCSB's core workloads: Cooper et al., Benchmarking cloud serving systems with YCSB,
// SoCC 2010, and its workloads/ files. Records are ten fields of 100 bytes, here one value; a zipfian is exact here, where
// YCSB's hottest key has 3.8 % whatever the number of keys. Popular keys are scattered, as there.
const (
	ycsbSource = "Cooper et al., SoCC 2010"
	ycsbRecord = "key_size: 24\nvalue_size: 1000\n"
	ycsbZipf   = ycsbRecord + "distribution: zipfian\nscramble: true\n"
)

// presets in the order of documentation. What a source does not say is said to be ours.
var presets = []preset{
	{"ycsb-a", "update heavy: half reads, half writes", ycsbSource, ycsbZipf + "mix: {get: 50, set: 50}"},
	{"ycsb-b", "read mostly: 5 % writes", ycsbSource, ycsbZipf + "mix: {get: 95, set: 5}"},
	{"ycsb-c", "read only", ycsbSource, ycsbZipf + "mix: {get: 100}"},
	{"ycsb-d", "read latest: 5 % inserts, which here take the oldest key's place", ycsbSource,
		ycsbRecord + "distribution: latest\nmix: {get: 95, set: 5}"},
	{"ycsb-e", "short ranges, 5 % inserts; a range of 1 to 100 records is here an mget of 50 keys drawn one by one, because " +
		"the servers have no order", ycsbSource, ycsbZipf + "mix: {mget: 95, set: 5}\nkeys_per_op: 50"},
	{"ycsb-f", "half reads, half read-modify-writes: a get, and a set when it is answered", ycsbSource, ycsbZipf + "mix: {get: 50, rmw: 50}"},
	// ETC has 30 GETs to a SET, keys by a generalised extreme value law (location 30.7984, scale 8.20449, shape 0.078688; mean 36.2),
	// and values by a table up to 14 bytes (44 % of all; the 0.5 % that are empty have a byte here) and from there on by a
	// generalised Pareto law of scale 214.476 and shape 0.348238. The means of either law between the quantiles 0, .1 … .9, .95,
	// .98, .99, .999 and 1 are the sizes here, so that the means are kept: 36.2, and 199 bytes. What the exponent of
	// popularity is the paper does not say.
	{"fb-etc", "Facebook's general-purpose cache: 30 reads to a write, small values with a long tail",
		"Atikoglu et al., SIGMETRICS 2012; zipf 0.99 is ours",
		"distribution: zipfian\nscramble: true\nmix: {get: 30, set: 1}\n" +
			`key_size: "weights(22: 100, 26: 100, 28: 100, 30: 100, 33: 100, 35: 100, 38: 100, 42: 100, 47: 100, 54: 50, 62: 30, ` +
			`72: 10, 86: 9, 121: 1)"` + "\n" +
			`value_size: "weights(1: 583, 2: 17820, 3: 9239, 4: 18, 5: 2740, 6: 65, 7: 606, 8: 23, 9: 837, 10: 837, 11: 8989, ` +
			`12: 92, 13: 326, 14: 1980, 27: 5585, 52: 5585, 82: 5584, 117: 5585, 162: 5584, 218: 5584, 295: 5584, 410: 5585, ` +
			`617: 5584, 953: 2792, 1443: 1675, 2132: 558, 3539: 503, 10113: 56)"`},
	// Of 153 clusters more than 35 % have more than 30 % writes. The median of their objects' mean sizes is 230 bytes, here 38 + 192:
	// in half of the clusters a value is at most five times its key. Most objects have a time to live, short as a rule (below 20
	// minutes in many clusters). Popularity follows a zipfian, less so where writes are many. Which cluster this is like, and how
	// sizes and times spread, is ours.
	{"twitter-cluster", "a write-heavy cache cluster: a third writes, small objects, short times to live",
		"after Yang et al., OSDI 2020; the spreads and zipf 1.2 are ours",
		"key_size: 38\ndistribution: zipfian\nzipf: 1.2\nscramble: true\nmix: {get: 65, setex: 35}\n" +
			"value_size: \"lognormal(192, 0.8, 8KiB)\"\nttl: \"lognormal(10m, 1)\""},
}

// Presets lists the workloads that a scenario may start from, each with its source.
func Presets() []Info {
	var infos []Info
	for _, p := range presets {
		infos = append(infos, Info{p.name, p.about + " (" + p.source + ")"})
	}
	return infos
}

// presetValues are what presets set, by "preset.key".
var presetValues = func() map[string]value {
	m := map[string]value{}
	for _, p := range presets {
		v, err := parseTree([]byte(p.keys), "scenario", p.name, func(int) string { return "preset " + p.name })
		if err != nil {
			panic(fmt.Sprintf("bug: preset %s: %v", p.name, err))
		}
		for _, row := range v.rows {
			m[p.name+"."+row.key] = row.val
		}
	}
	return m
}()

func setPreset(d *draft, v value) (string, error) {
	s, err := v.word()
	if err == nil && !slices.Contains(names(Presets()), s) {
		err = v.errorf("%s", unknown("preset", s, names(Presets())))
	}
	d.point.Workload.Preset = s
	return s, err
}
