package store

import (
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"testing"
)

// The map benchmarks beside ours are for scale: what the plain Go way costs on the same machine.

const benchKeys = 100_000

type benchKey struct {
	key  []byte
	hash uint64
}

// benchKeysOf returns n keys of 16 bytes in an order that is not that of their numbers.
func benchKeysOf(n int) []benchKey {
	keys := make([]benchKey, n)
	for i, j := range rand.New(rand.NewPCG(8, 8)).Perm(n) {
		key := numbered(j)
		keys[i] = benchKey{key, Hash(key)}
	}
	return keys
}

func filled(keys []benchKey) *Shard {
	s := New()
	value := make([]byte, 64)
	for _, k := range keys {
		s.Set(k.hash, k.key, value, 0)
	}
	return s
}

func benchGet(b *testing.B, working int) {
	keys := benchKeysOf(benchKeys)
	s := filled(keys)
	keys = keys[:working]
	i := 0
	for b.Loop() {
		k := &keys[i]
		if _, ok := s.Get(k.hash, k.key, 0); !ok {
			b.Fatal("missing")
		}
		if i++; i == working {
			i = 0
		}
	}
}

func BenchmarkGetHot(b *testing.B)    { benchGet(b, 64) }
func BenchmarkGetRandom(b *testing.B) { benchGet(b, benchKeys) }

func BenchmarkGetMiss(b *testing.B) {
	keys := benchKeysOf(2 * benchKeys)
	s := filled(keys[:benchKeys])
	keys = keys[benchKeys:]
	i := 0
	for b.Loop() {
		k := &keys[i]
		if _, ok := s.Get(k.hash, k.key, 0); ok {
			b.Fatal("there")
		}
		if i++; i == len(keys) {
			i = 0
		}
	}
}

func BenchmarkGetRandomMap(b *testing.B) {
	keys := benchKeysOf(benchKeys)
	m := map[string][]byte{}
	for _, k := range keys {
		m[string(k.key)] = make([]byte, 64)
	}
	i := 0
	for b.Loop() {
		if _, ok := m[string(keys[i].key)]; !ok {
			b.Fatal("missing")
		}
		if i++; i == len(keys) {
			i = 0
		}
	}
}

func BenchmarkSetOverwrite(b *testing.B) {
	keys := benchKeysOf(benchKeys)
	s := filled(keys)
	value := make([]byte, 64)
	i := 0
	for b.Loop() {
		k := &keys[i]
		s.Set(k.hash, k.key, value, 0)
		if i++; i == len(keys) {
			i = 0
		}
	}
}

// BenchmarkSetOverwriteMap copies into the old value, which a map must do not to leave garbage.
func BenchmarkSetOverwriteMap(b *testing.B) {
	keys := benchKeysOf(benchKeys)
	m := map[string][]byte{}
	value := make([]byte, 64)
	for _, k := range keys {
		m[string(k.key)] = make([]byte, 64)
	}
	i := 0
	for b.Loop() {
		copy(m[string(keys[i].key)], value)
		if i++; i == len(keys) {
			i = 0
		}
	}
}

// BenchmarkInsert fills shards from empty, growth included: the time is per key.
func BenchmarkInsert(b *testing.B) {
	keys := benchKeysOf(benchKeys)
	value := make([]byte, 64)
	s := New()
	i := 0
	for b.Loop() {
		k := &keys[i]
		s.Set(k.hash, k.key, value, 0)
		if i++; i == len(keys) {
			i = 0
			s.Clear()
		}
	}
}

func BenchmarkInsertMap(b *testing.B) {
	keys := benchKeysOf(benchKeys)
	value := make([]byte, 64)
	m := map[string][]byte{}
	i := 0
	for b.Loop() {
		m[string(keys[i].key)] = append([]byte(nil), value...)
		if i++; i == len(keys) {
			i = 0
			m = map[string][]byte{}
		}
	}
}

// BenchmarkDeleteInsert deletes a key and inserts it again, in a shard of constant size.
func BenchmarkDeleteInsert(b *testing.B) {
	keys := benchKeysOf(benchKeys)
	s := filled(keys)
	value := make([]byte, 64)
	i := 0
	for b.Loop() {
		k := &keys[i]
		s.Delete(k.hash, k.key, 0)
		s.Set(k.hash, k.key, value, 0)
		if i++; i == len(keys) {
			i = 0
		}
	}
}

func BenchmarkHash(b *testing.B) {
	key := numbered(1)
	for b.Loop() {
		Hash(key)
	}
}

// BenchmarkGC forces collections with a million entries alive and reports the CPU time of each.
func BenchmarkGC(b *testing.B) {
	s := filled(benchKeysOf(1_000_000))
	benchGC(b)
	runtime.KeepAlive(s)
}

func BenchmarkGCMap(b *testing.B) {
	m := map[string][]byte{}
	for i := range 1_000_000 {
		m[string(numbered(i))] = make([]byte, 64)
	}
	benchGC(b)
	runtime.KeepAlive(m)
}

func benchGC(b *testing.B) {
	runtime.GC()
	before := gcCPUSeconds()
	for b.Loop() {
		runtime.GC()
	}
	b.ReportMetric((gcCPUSeconds()-before)/float64(b.N)*1e3, "GC-CPU-ms/op")
}

// gcCPUSeconds returns the CPU time given to collection so far, what otherwise idle processors did included.
func gcCPUSeconds() float64 {
	samples := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(samples)
	return samples[0].Value.Float64()
}
