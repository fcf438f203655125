package loadgen

import (
	"bytes"
	"math"
	"testing"

	"github.com/shardlab/shardlab/server/wire"
)

func TestRequestsAreWhatWireWouldEncode(t *testing.T) {
	for _, size := range []int{1, 9, 64, 1000} {
		p, err := newPlan(Workload{Keys: 1000, KeySize: 9, ValueSize: size, Mix: []OpShare{{Get, 1}, {Set, 1}}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range uint64(100) {
			o := p.at(3, i)
			key := testKey(o.key, 9)
			want := wire.AppendCommand([]byte("before"), []byte("GET"), key)
			if o.op == Set {
				value := make([]byte, size)
				p.values.put(value, o.key, 3, i)
				want = wire.AppendCommand([]byte("before"), []byte("SET"), key, value)
			}
			if got := p.appendRequest([]byte("before"), &o, 3, i); !bytes.Equal(got, want) {
				t.Fatalf("%v: %q, want %q", o, got, want)
			}
			if o.op == Set && p.requestSize() != len(want)-len("before") {
				t.Fatalf("requestSize %d, is %d", p.requestSize(), len(want)-len("before"))
			}
			scratch := bytes.Clone(p.keys.longest)
			if p.putKey(scratch, &o); !bytes.Equal(scratch, key) {
				t.Fatalf("putKey gives %q, want %q", scratch, key)
			}
		}
	}
}

func TestFramesAreWhatWireWouldEncode(t *testing.T) {
	for _, shards := range []int{0, 1, 8} {
		p, err := newPlan(Workload{Keys: 1000, KeySize: 9, ValueSize: 64, Mix: []OpShare{{Get, 1}, {Set, 1}}})
		if err != nil {
			t.Fatal(err)
		}
		p.speak(SCNP, shards)
		for i := range uint64(100) {
			o := p.at(3, i)
			key := testKey(o.key, 9)
			to := wire.ToServer(key)
			if shards > 0 {
				to = wire.ToShard(key, shards)
			}
			want := wire.AppendKeyFrame([]byte("before"), wire.OpGet, to, key)
			if o.op == Set {
				value := make([]byte, 64)
				p.values.put(value, o.key, 3, i)
				want = wire.AppendSetFrame([]byte("before"), to, key, value)
			}
			if got := p.appendRequest([]byte("before"), &o, 3, i); !bytes.Equal(got, want) {
				t.Fatalf("%d shards, %v: %x, want %x", shards, o, got, want)
			}
		}
	}
}

func TestMixIsTheOneAskedFor(t *testing.T) {
	const n = 200_000
	for _, share := range []float64{0, 0.1, 0.5, 0.9, 1} {
		// In parts, and not adding up to 1.
		mix := []OpShare{{Get, share}, {Get, share}, {Set, 2 - 2*share}}
		p, err := newPlan(Workload{Keys: 10, KeySize: 9, ValueSize: 16, Mix: mix, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		gets, checks := 0, 0
		for i := range uint64(n) {
			o := p.at(uint32(i%4), i/4)
			if o.op == Get {
				gets++
			}
			if o.check {
				checks++
			}
		}
		sigma := math.Sqrt(share * (1 - share) / n)
		if got := float64(gets) / n; math.Abs(got-share) > 4*sigma {
			t.Errorf("%v GETs, want %v", got, share)
		}
		if want := float64(gets) / checkEvery; math.Abs(float64(checks)-want) > 4*math.Sqrt(want) {
			t.Errorf("%d checks of %d GETs, want %.0f", checks, gets, want)
		}
	}
}

func TestPlanDoesNotAllocate(t *testing.T) {
	p, err := newPlan(Workload{
		Keys: 1000, KeySize: 16, ValueSize: 64, Mix: []OpShare{{Get, 1}, {Set, 1}}, Distribution: Zipf, Zipf: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	buf, i := make([]byte, 0, 256), uint64(0)
	if n := testing.AllocsPerRun(1000, func() { p.appendTurn(buf, 0, i); i++ }); n != 0 {
		t.Errorf("an operation allocates %v times", n)
	}
}

func BenchmarkPlan(b *testing.B) {
	for _, distribution := range []string{Uniform, Zipf} {
		b.Run(distribution, func(b *testing.B) {
			p, err := newPlan(Workload{Keys: 1_000_000, KeySize: 16, ValueSize: 64, Mix: []OpShare{{Get, 9}, {Set, 1}},
				Distribution: distribution, Zipf: 0.99})
			if err != nil {
				b.Fatal(err)
			}
			buf, i := make([]byte, 0, 256), uint64(0)
			for b.Loop() {
				p.appendTurn(buf, 0, i)
				i++
			}
		})
	}
}
