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
	{"ycsb-f", "half reads, half read-modify-writes; those are here a get and a set that does not wait for it, which makes " +
		"two reads to a write", ycsbSource, ycsbZipf + "mix: {get: 2, set: 1}"},
	// ETC has 30 GETs to a SET, keys of 36 bytes on average (a generalised extreme value law) and values by a generalised Pareto
	// law of scale 214.476 and shape 0.348238, from 15 bytes on. Its means between the quantiles 0, .1 … .9, .95, .98, .99, .999
	// and 1 are the sizes here, which keeps its mean of 344 bytes. The exponent of popularity is ours: the paper has none.
	{"fb-etc", "Facebook's general-purpose cache: 30 reads to a write, small values with a long tail",
		"Atikoglu et al., SIGMETRICS 2012; zipf 0.99 is ours",
		"key_size: 36\ndistribution: zipfian\nscramble: true\nmix: {get: 30, set: 1}\n" +
			`value_size: "weights(26: 100, 51: 100, 80: 100, 115: 100, 158: 100, 213: 100, 288: 100, 400: 100, 602: 100, ` +
			`931: 50, 1409: 30, 2082: 10, 3455: 9, 9860: 1)"`},
	// Of 153 clusters 35 % have more than 30 % writes; the median of their objects' mean sizes is 230 bytes, most of which have a
	// time to live, short as a rule. Which cluster this is like, and how sizes and times spread, is ours.
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
