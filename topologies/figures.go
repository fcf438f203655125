package topologies

import (
	"sync"

	"github.com/shardlab/shardlab/server/admin"
	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/server/wire"
)

// figures gathers what the metrics page shows. Counters are read where sessions publish them; the shards are asked through an
// in-process session, like any client's, so that whoever holds them is not held up longer than by a command.
type figures struct {
	in *Instance

	mu     sync.Mutex // one asks at a time
	shards *Caller
}

func (f *figures) read() admin.Figures {
	in := f.in
	counts := in.host.counts()
	traffic, main := in.srv.Traffic(), in.srv.Stats()
	all := admin.Figures{
		Settings: in.Settings.Pairs(), Commands: map[string]uint64{},
		Hits: counts.Hits, Misses: counts.Misses,
		MemoryLimit: in.host.budget.Limit(), MemoryUsed: in.host.budget.Used(),
		Fronts:   []admin.Front{{Name: "main", Conns: main.Clients, Accepted: main.Accepted, Rejected: main.Rejected}},
		Received: traffic.In, Sent: traffic.Out,
		LoopCPU: in.srv.LoopCPU(),
	}
	in.host.Stats().Calls(func(cmd *command.Spec, calls, _, _ uint64) { all.Commands[cmd.Name] = calls })
	if in.fronts.keys != nil {
		st := in.fronts.keys.Stats()
		all.Fronts = append(all.Fronts, admin.Front{Name: "http", Conns: st.Conns, Accepted: st.Accepted, Rejected: st.Rejected})
		all.HTTPResponses = st.Responses
	}
	if r := in.host.router; r != nil {
		hops := r.hops()
		all.Hops, all.Loans = admin.Sizes{Buckets: hops.Sizes[:], Sum: hops.Parts}, hops.Loans
	}
	if in.store != nil {
		all.LockWaits, all.LockWaited = in.store.lockWaits()
	}
	all.Shards = f.perShard()
	return all
}

// perShard asks every shard for its figures. It returns nil when nobody answers any more.
func (f *figures) perShard() []admin.Shard {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.shards.Do([]byte("SHARDS"))
	if err != nil {
		return nil
	}
	elements, _ := r.Elements()
	shards := make([]admin.Shard, len(elements))
	for i, e := range elements {
		fields, _ := e.Elements()
		shards[i] = shardFigures(fields)
	}
	return shards
}

// shardFigures reads one element of SHARDS: names and values in turn.
func shardFigures(fields []wire.Reply) (s admin.Shard) {
	for i := 0; i+1 < len(fields); i += 2 {
		n := fields[i+1].Int
		switch string(fields[i].Payload) {
		case "entries":
			s.Entries = n
		case "ttls":
			s.TTLs = n
		case "stored":
			s.Stored = n
		case "reserved":
			s.Reserved = n
		case "expired":
			s.Expired = n
		case "evicted":
			s.Evicted = n
		}
	}
	return s
}
