package command

import (
	"testing"
	"time"

	"github.com/shardlab/shardlab/store"
)

// BenchmarkAdmit is what it costs to admit and count a batch of 16 requests, 90 % GET and the rest SET: the price of login,
// transactions, reply modes and command counts to those who use none.
func BenchmarkAdmit(b *testing.B) {
	x := newExec()
	get, set := Lookup([]byte("get")), Lookup([]byte("set"))
	args, pair := byteArgs("GET", "key"), byteArgs("SET", "key", "value")
	b.ReportAllocs()
	for b.Loop() {
		x.BeginBatch()
		for i := range 16 {
			if i%10 == 9 {
				x.Admit(set, pair)
			} else {
				x.Admit(get, args)
			}
		}
		x.EndBatch(1)
	}
}

func byteArgs(words ...string) [][]byte {
	args := make([][]byte, len(words))
	for i, w := range words {
		args[i] = []byte(w)
	}
	return args
}

// host is a server of one shard.
type host struct {
	shard    *store.Shard
	stats    Stats
	budget   *store.Budget
	password string
	maxValue int
	params   []Param
	clients  []*Client
	stopped  bool
}

func (h *host) ServerInfo() ServerInfo                  { return ServerInfo{Stats: &h.stats, Budget: h.budget} }
func (h *host) Stats() *Stats                           { return &h.stats }
func (h *host) ResetStats(_, _ int64)                   { h.stats.Reset() }
func (h *host) Params() []Param                         { return h.params }
func (h *host) Clients() []*Client                      { return h.clients }
func (h *host) Shutdown() bool                          { h.stopped = true; return true }
func (h *host) Shards() int                             { return 1 }
func (h *host) ShardOf([]byte) int                      { return 0 }
func (h *host) Password() string                        { return h.password }
func (h *host) Budget() *store.Budget                   { return h.budget }
func (h *host) MaxValue() int                           { return h.maxValue }
func (h *host) Shard(key []byte) (*store.Shard, uint64) { return h.shard, store.Hash(key) }
func (h *host) shards() []*store.Shard                  { return []*store.Shard{h.shard} }

// held is a hold on all that a host has.
type held struct{ *host }

func (h held) Shards() []*store.Shard { return h.shards() }

func newExec() *Exec {
	h := &host{shard: store.New(), budget: store.NewBudget(0, store.NoEviction), maxValue: 1 << 20}
	h.shard.Attach(h.budget)
	x := &Exec{Host: h, Client: NewClient(1, nil, time.Unix(0, 0))}
	h.clients = []*Client{x.Client}
	x.Connect()
	return x
}
