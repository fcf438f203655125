package scenarios

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// TestSchemaIsComplete: every key is described in its section, with the default it has.
func TestSchemaIsComplete(t *testing.T) {
	text := Schema()
	for _, line := range strings.Split(text, "\n") {
		if len(line) > helpWidth || strings.TrimRight(line, " ") != line {
			t.Errorf("line too long or with spaces at its end: %q", line)
		}
	}
	for _, section := range append([]string{top}, sectionNames...) {
		part := text
		if section != top {
			_, after, ok := strings.Cut(text, "\n"+section+":")
			if !ok {
				t.Fatalf("no section %s", section)
			}
			part, _, _ = strings.Cut(after, "\n\n")
		}
		for _, k := range keysOf(section) {
			def := regexp.QuoteMeta(k.defaultText())
			line := regexp.MustCompile(`(?m)^ *` + k.name + `( \*)? +` + k.kind + ` +` + def + ` +\S`)
			if !line.MatchString(part) {
				t.Errorf("%s.%s is not described:\n%s", section, k.name, part)
			}
		}
	}
}

// TestDefaultsAreThoseDescribed: a file that writes every default out is the same scenario as one that writes none.
func TestDefaultsAreThoseDescribed(t *testing.T) {
	var b strings.Builder
	b.WriteString("name: x\narms: [shared]\nseed: 1\n")
	for _, section := range []string{workload, load, runLength} {
		fmt.Fprintf(&b, "%s:\n", section)
		for _, k := range keysOf(section) {
			if met := k.needs.key == "" || k.needs.met(defaults[section+"."+k.needs.key].text); k.def != "" && met {
				fmt.Fprintf(&b, "  %s: %s\n", k.name, k.def)
			}
		}
	}
	got, want := mustParse(t, b.String()).Canonical(), mustParse(t, "name: x\narms: [shared]\n").Canonical()
	if string(got) != string(want) {
		t.Errorf("with the defaults of Schema written out:\n%s\nwith none:\n%s", got, want)
	}
}

// TestSchemaCoversTheData: there is no field of the data that no key sets, found by setting all of them.
func TestSchemaCoversTheData(t *testing.T) {
	open := mustParse(t, full)
	closed := mustParse(t, "name: x\n"+
		"load: {protocol: http, path: \"/{key}\"}\narms: [{reference: memcached, protocol: memcached, command: [memcached, -p, \"{port}\"]}, {topology: shared, shards: 2, workers: 2, transport: epoll, pin: on, "+
		"boundary: shared, lock: mutex, lock_scope: op, route: full_key, cross_shard: split, transactions: disabled, "+
		"max_memory: 1MiB, max_memory_policy: noeviction}]\n")
	zero := map[string]bool{}
	look := func(vs ...any) {
		for i := range reflect.TypeOf(vs[0]).NumField() {
			set := false
			for _, v := range vs {
				set = set || !reflect.ValueOf(v).Field(i).IsZero()
			}
			if f := reflect.TypeOf(vs[0]).Field(i); !set && f.IsExported() {
				zero[f.Name] = true
			}
		}
	}
	look(*open, *mustParse(t, "name: x\nslo: p99 < 1ms\narms: [shared]\n"), *mustParse(t, "name: x\narms: [shared]\nload: {mode: open}\nsteps: {rate: [1k, 2k], for: 1s}\n"))
	of := func(workload string) Workload {
		return mustParse(t, "name: x\narms: [shared]\nworkload: {"+workload+"}\n").Points[0].Workload
	}
	look(open.Points[0].Workload, of("distribution: moving, key_size: 20..30, value_size: 64..128, value_random: 0.5"),
		of("preset: ycsb-b"), of("trace: testdata/sizes.txt"), of("mix: {mget: 1, setex: 1}, ttl: 1s..2s, cross_share: 0.5, expected_misses: 0.1"), of("distribution: hot-shard, hot_shard: 1"),
		of("distribution: popularity, popularity: testdata/weights.txt, scramble: true"))
	look(open.Points[0].Load, closed.Points[0].Load, loadOf(t, "rate: 10k, arrival: bursts, spin: 50us, timeout: 1s"), loadOf(t, "rate: 10k, rate_to: 20k, churn: 5/s"),
		loadOf(t, "arrival: file, arrival_file: testdata/times.csv, arrival_column: at"), loadOf(t, "rate: 10k, via: mixed"))
	look(closed.Arms[1].Settings)
	look(open.Arms[0], open.Arms[1], closed.Arms[0], closed.Arms[1])
	look(open.Run, closed.Run, mustParse(t, "name: x\narms: [shared]\nload: {connections: [1, 2]}\nrun: {ceiling: off, sampling: adaptive, blocks: 7}\n").Run)
	look(open.Run.CPUs)
	if len(zero) > 0 {
		t.Errorf("no key sets %v", zero)
	}
}

func TestKeysAreDefinedAfterWhatTheyNeed(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range schema {
		if k.needs.key != "" && !seen[k.section+"."+k.needs.key] {
			t.Errorf("%s.%s needs %s, which is resolved later", k.section, k.name, k.needs.key)
		}
		if seen[k.section+"."+k.name] {
			t.Errorf("%s.%s is defined twice", k.section, k.name)
		}
		seen[k.section+"."+k.name] = true
	}
}
