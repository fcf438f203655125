package topologies

import (
	"slices"

	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/server/wire"
	"github.com/shardlab/shardlab/store"
)

const (
	// maxPlan is how many requests a session plans ahead of executing them.
	maxPlan = 64
	// minRun is how many requests of one shard each must follow each other for a keyspace to look at them together.
	// Looking ahead finds every key twice: with two of 1,000 keys, all in the cache, a request costs 105 ns instead
	// of 90, but with two of 100,000 330 instead of 440, of 1,000,000 500 instead of 730 (BenchmarkBatch).
	minRun = 2
)

// routing says which shard a key belongs to.
type routing struct {
	mode   store.RouteMode
	shards int
}

// find returns the hash that a shard is asked with, and the shard.
func (r routing) find(key []byte) (hash uint64, shard int) {
	hash, route := r.mode.Hashes(key)
	return hash, store.ShardOf(route, r.shards)
}

// step is a request that is planned: what is known of it before it is executed.
type step struct {
	cmd   *command.Spec
	hash  uint64
	shard int  // of a command of one shard
	stale bool // it found its key expired, under a hold that did not allow to delete it
}

// planStep plans one request. What is wrong with a request is for Admit to find: hash and shard are then of no
// consequence.
func (r routing) planStep(args [][]byte) step {
	st := step{cmd: command.Find(args)}
	switch c := st.cmd; {
	case c == nil || c.One == nil:
	case c.ByShard != nil:
		st.shard = c.ByShard(args, r.shards)
	case c.First < len(args):
		st.hash, st.shard = r.find(args[c.First])
	}
	return st
}

// plan is what is known of a stretch of requests before the first of them runs. The sessions of an event loop share the
// loop's: none is at work while another is, and ten thousand idle connections hold one.
type plan struct {
	steps  []step
	aims   []aim
	groups groups
}

// make plans reqs, which are at most maxPlan. What it returns is good until the next call.
func (p *plan) make(r routing, reqs []wire.Request) []step {
	p.steps = slices.Grow(p.steps[:0], len(reqs))[:len(reqs)]
	for i := range reqs {
		p.steps[i] = r.planStep(reqs[i].Args)
	}
	return p.steps
}

// aimsFor returns room for n aims, good until the next call.
func (p *plan) aimsFor(n int) []aim {
	p.aims = slices.Grow(p.aims[:0], n)[:n]
	return p.aims
}

// leadingOnes is how many requests of one shard each steps begins with.
func leadingOnes(steps []step) int {
	for i := range steps {
		if c := steps[i].cmd; c == nil || c.One == nil {
			return i
		}
	}
	return len(steps)
}

// runner is a keyspace that gains from knowing several requests before it runs the first.
type runner interface {
	keyspace
	// run executes requests of one shard each, through s.request, and returns how many it answered: fewer than all if
	// s.full.
	run(s *session, steps []step, reqs []wire.Request) (done int)
}

// inOrder executes requests as they came, until there is reason to stop.
func (s *session) inOrder(steps []step, reqs []wire.Request) (done int) {
	for i := range steps {
		if s.full() {
			return i
		}
		s.request(&steps[i], &reqs[i])
	}
	return len(steps)
}
