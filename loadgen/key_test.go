package loadgen

import (
	"bytes"
	"fmt"
	"math"
	"testing"
)

// testKey is key number n of a workload whose keys have size bytes.
func testKey(n uint32, size int) []byte { return fmt.Appendf(nil, "k:%0*d", size-2, n) }

func TestKey(t *testing.T) {
	k := newKeys(Workload{Keys: MaxKeys, KeySize: 16})
	for _, n := range []uint32{0, 7, 42, 999, 1_000_000, MaxKeys - 1} {
		if got, want := string(k.append([]byte("x"), n)), "x"+string(testKey(n, 16)); got != want {
			t.Errorf("key %d is %q, want %q", n, got, want)
		}
	}
	k = newKeys(Workload{Keys: 100, KeySize: 4})
	if got := string(k.append(nil, 12)); got != "k:12" {
		t.Errorf("the shortest key of 12 is %q", got)
	}
}

// keyLaws are one of each form, for up to 10^5 keys.
var keyLaws = map[string]Law{
	"range":     {Min: 16, Max: 64},
	"lognormal": {Min: 7, Max: 250, Median: 30, Sigma: 0.5},
	"weights":   {Min: 8, Max: 100, Values: []int{8, 20, 100}, Weights: []float64{7, 2, 1}},
}

// TestKeySizes counts the sizes of keys by number, and holds them against their law with χ². Every key is unique, and put
// writes what append does.
func TestKeySizes(t *testing.T) {
	const n = 100_000
	for name, law := range keyLaws {
		k := newKeys(Workload{Keys: n, KeyLaw: law})
		seen, counts := map[string]bool{}, map[int]int{}
		other := bytes.Repeat([]byte("?"), law.Max)
		for i := range uint32(n) {
			key := k.append(nil, i)
			counts[len(key)]++
			if k.put(other[:len(key)], i); !bytes.Equal(other[:len(key)], key) {
				t.Fatalf("%s: put makes %q of key %d, append %q", name, other[:len(key)], i, key)
			}
			if seen[string(key)] {
				t.Fatalf("%s: %s is there twice", name, key)
			}
			seen[string(key)] = true
		}
		chi, cells := 0.0, 0
		for size := law.Min; size <= law.Max; size++ {
			want := n * sizeProbability(law, size)
			if counts[size] > 0 && want == 0 {
				t.Errorf("%s: %d keys of %d bytes", name, counts[size], size)
			}
			if want >= 5 {
				chi += (float64(counts[size]) - want) * (float64(counts[size]) - want) / want
				cells++
			}
		}
		// Wilson and Hilferty: the 0.999 quantile.
		df := float64(cells - 1)
		if limit := df * math.Pow(1-2/(9*df)+3.09*math.Sqrt(2/(9*df)), 3); chi > limit {
			t.Errorf("%s: χ² of %.1f with %d cells; want at most %.1f", name, chi, cells, limit)
		}
	}
}

// sizeProbability is the law's, of one size.
func sizeProbability(l Law, size int) float64 {
	switch {
	case l.Sigma > 0:
		below := func(x float64) float64 {
			return 0.5 * math.Erfc(-(math.Log(x)-math.Log(l.Median))/(l.Sigma*math.Sqrt2))
		}
		switch size {
		case l.Min:
			return below(float64(size) + 0.5)
		case l.Max:
			return 1 - below(float64(size)-0.5)
		}
		return below(float64(size)+0.5) - below(float64(size)-0.5)
	case len(l.Values) > 0:
		part, sum := 0.0, 0.0
		for i, n := range l.Values {
			if sum += l.Weights[i]; n == size {
				part += l.Weights[i]
			}
		}
		return part / sum
	}
	return 1 / float64(l.Max-l.Min+1)
}

// TestKeySizesInEveryProtocol preloads keys of several sizes, which reads every one of them back, and puts load on them.
func TestKeySizesInEveryProtocol(t *testing.T) {
	for _, protocol := range []Protocol{RESP, SCNP} {
		for name, law := range keyLaws {
			w := testWorkload
			w.KeySize, w.KeyLaw = 0, law
			w.Mix = []OpShare{{Get, 5}, {Set, 2}, {Incr, 1}, {SetEx, 1}}
			w.TTL = Fixed(60_000)
			if protocol == RESP {
				w.Templates = []string{"ECHO x{key}y"}
				w.Mix = append(w.Mix, OpShare{FirstTemplate, 1}, OpShare{MGet, 1}, OpShare{MSet, 1})
				w.KeysPerOp, w.CrossShard = 3, -1
			}
			server := newMapServer(t, nil)
			s := connect(t, newTestPool(t, 2), Target{Addr: server.addr, Protocol: protocol}, w, Load{Mode: Closed, Connections: 4, Pipeline: 8})
			if err := s.Preload(t.Context()); err != nil {
				t.Fatalf("%s, %v: %v", name, protocol, err)
			}
			res := runFor(t, 50, s, Window{Measure: 20e6})
			if res.Errors > 0 || res.Misses > 0 || res.Corrupt > 0 || res.Replies == 0 {
				t.Errorf("%s, %v: %d replies, %d errors (%s), %d misses, %d corrupt", name, protocol, res.Replies, res.Errors,
					res.FirstError, res.Misses, res.Corrupt)
			}
			server.mu.Lock()
			for key := range server.data {
				if n := len(key); n < law.Min || n > law.Max {
					t.Errorf("%s, %v: key %q", name, protocol, key)
				}
			}
			server.mu.Unlock()
		}
	}
}
