package loadgen

import (
	"math"
	"strings"
	"testing"
)

func TestWorkloadCheck(t *testing.T) {
	check := func(want string, change func(w *Workload)) {
		t.Helper()
		w := Workload{Keys: 1000, KeySize: 5, ValueSize: 1, Mix: []OpShare{{Get, 1}}}
		change(&w)
		err := w.check()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: error %v, want %q", w, err, want)
		}
	}
	check("", func(w *Workload) {})
	check("", func(w *Workload) { w.Distribution, w.Zipf = Zipf, 3 })
	check("0 keys", func(w *Workload) { w.Keys = 0 })
	check("keys; use 1 to", func(w *Workload) { w.Keys = MaxKeys + 1 })
	check("keys of 4 bytes; 1000 keys need 5 to", func(w *Workload) { w.KeySize = 4 })
	check("keys of 5 bytes; 1001 keys need 6 to", func(w *Workload) { w.Keys = 1001 })
	check("values of 0 bytes", func(w *Workload) { w.ValueSize = 0 })
	check(`unknown distribution "pareto"; have uniform, zipf, hotspot`, func(w *Workload) { w.Distribution = "pareto" })
	for _, s := range []float64{0, -1, 10.01, math.NaN(), math.Inf(1)} {
		check("zipf exponent", func(w *Workload) { w.Distribution, w.Zipf = Zipf, s })
	}
	hot := func(distribution string, hot Hot) func(w *Workload) {
		return func(w *Workload) { w.Distribution, w.Hot = distribution, hot }
	}
	check("", hot(Hotspot, Hot{Ops: 1, Keys: 0.1}))
	check("leaves others", hot(Hotspot, Hot{Ops: 0.9, Keys: 0.9999}))
	check("leaves others", hot(Hotspot, Hot{Ops: 0.9, Keys: math.NaN()}))
	check("use 0.2 to 1", hot(Hotspot, Hot{Ops: 0.1, Keys: 0.2}))
	check("use 0.2 to 1", hot(Moving, Hot{Ops: 1.1, Keys: 0.2, Period: 1, Drift: 1}))
	check("a period from 1", hot(Moving, Hot{Ops: 0.9, Keys: 0.2, Drift: 1}))
	check("use a drift in (0, 1000]", hot(Moving, Hot{Ops: 0.9, Keys: 0.2, Period: 1}))
	check("and a Sharding", hot(HotShard, Hot{Ops: 0.9}))
	weights := func(x ...float64) func(w *Workload) {
		return func(w *Workload) { w.Distribution, w.Weights = Popularity, x }
	}
	check("", weights(3, 2, 2, 0))
	check("0 weights of popularity for 1000 keys", weights())
	check("the first above 0", weights(0, 0))
	check("weight 3 of rank 2; they go down", weights(2, 3))
	check("weight NaN of rank 2", weights(2, math.NaN()))
	check("add up to 0", func(w *Workload) { w.Mix = nil })
	check("share -1 of SET", func(w *Workload) { w.Mix = []OpShare{{Get, 2}, {Set, -1}} })
	check("share NaN of GET", func(w *Workload) { w.Mix = []OpShare{{Get, math.NaN()}} })
	check("add up to +Inf", func(w *Workload) { w.Mix = []OpShare{{Get, math.MaxFloat64}, {Set, math.MaxFloat64}} })
	check("unknown operation 19", func(w *Workload) { w.Mix = []OpShare{{19, 1}} })
}

func TestParseOp(t *testing.T) {
	for _, name := range []string{"GET", "get", "Set", "mget", "setex"} {
		if op, err := ParseOp(name); err != nil || !strings.EqualFold(op.String(), name) {
			t.Errorf("%s: %v, %v", name, op, err)
		}
	}
	if _, err := ParseOp("HDEL"); err == nil || err.Error() != `unknown operation "HDEL"; have GET, SET, DEL, INCR, MGET, MSET, SETEX, EXPIRE, DECR, EXISTS, RMW` {
		t.Errorf("HDEL: %v", err)
	}
}
