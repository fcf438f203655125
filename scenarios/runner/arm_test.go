package runner

import (
	"strings"
	"testing"

	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/scenarios"
)

// TestEveryPresetSuits: the load generator takes every preset, and every distribution, as the scenario has it.
func TestEveryPresetSuits(t *testing.T) {
	check := func(keys string) loadgen.Workload {
		t.Helper()
		s, err := scenarios.Parse("x.yaml", []byte("name: x\narms: [shared]\nworkload: {keys: 1k, "+keys+"}\n"), scenarios.Names{})
		if err != nil {
			t.Fatal(err)
		}
		w, err := workload(1, s.Points[0].Workload)
		if err == nil {
			_, err = loadgen.StreamHash(w, load(s.Points[0].Load))
		}
		if err != nil {
			t.Errorf("%s: %v", keys, err)
		}
		return w
	}
	for _, p := range scenarios.Presets() {
		check("preset: " + p.Name)
	}
	for _, d := range scenarios.Distributions() {
		if d.Name == scenarios.Popularity {
			d.Name += ", popularity: ../testdata/weights.txt"
		}
		check("distribution: " + d.Name)
	}
	w := check(`mix: {mget: 1, expire: 1, "HSET h:{key} f {value}": 1, "ECHO a": 1}, ttl: 1s..2s, cross_share: 0.5`)
	if w.CrossShard != 0.5 || w.KeysPerOp != 10 || w.Sharding == nil || len(w.Templates) != 2 || w.TTL.Min != 1000 || w.TTL.Max != 2000 {
		t.Errorf("%+v", w)
	}
}

func TestShardPortsTakeWhatOneShardAnswers(t *testing.T) {
	half, none := 0.5, 0.0
	mget := []scenarios.OpShare{{Op: "MGET", Share: 1}}
	for _, x := range []struct {
		w      scenarios.Workload
		shards int
		want   string
	}{
		{scenarios.Workload{Mix: mget}, 4, "the keys of one MGET may be on several of its 4 shards"},
		{scenarios.Workload{Mix: mget, CrossShare: &half}, 4, "set workload.cross_share to 0"},
		{scenarios.Workload{Mix: mget, CrossShare: &none}, 4, ""},
		{scenarios.Workload{Mix: mget}, 1, ""},
		{scenarios.Workload{Mix: []scenarios.OpShare{{Op: "ECHO a", Share: 1}}}, 1, "leave the arm out"},
	} {
		if err := separable(x.w, x.shards); x.want == "" && err != nil || x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)) {
			t.Errorf("%+v on %d shards: %v, want %q", x.w, x.shards, err, x.want)
		}
	}
}

// TestProtocolsAgree: scenarios and the load generator know of the same operations in each protocol.
func TestProtocolsAgree(t *testing.T) {
	for _, name := range []string{scenarios.RESP, scenarios.SCNP, scenarios.Memcached, scenarios.HTTP} {
		for op := range loadgen.FirstTemplate {
			if got := scenarios.Speaks(name, op.String()) == nil; got != protocol(name).Speaks(op) {
				t.Errorf("%s in %s: scenarios %v, loadgen %v", op, name, got, !got)
			}
		}
		if got := scenarios.Speaks(name, "HSET {key} f v") == nil; got != protocol(name).Speaks(loadgen.FirstTemplate) {
			t.Errorf("a command in %s: scenarios %v, loadgen %v", name, got, !got)
		}
	}
}
