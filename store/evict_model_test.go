package store

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// budgeted drives the shards of one store under a budget beside the plain maps they should be like, where entries may go
// of themselves: only expired ones, or ones that are counted as evicted while the store was over its limit.
type budgeted struct {
	t      testing.TB
	budget *Budget
	shards [2]*model
	gone   [2]ShardStats // what the maps account for
	mayGo  bool          // the store was at its limit since settled looked
}

func newBudgeted(t testing.TB) *budgeted {
	m := &budgeted{t: t, budget: NewBudget(0, NoEviction)}
	for i := range m.shards {
		m.shards[i] = newModel(t)
		m.shards[i].shard.Attach(m.budget)
	}
	return m
}

func (m *budgeted) inUse() int64 {
	return int64(m.shards[0].shard.inUse() + m.shards[1].shard.inUse())
}

func (m *budgeted) set(i int, key, value []byte, expireAt int64) {
	sh := m.shards[i]
	m.noteLimit()
	if sh.shard.MakeRoom(sh.now) {
		if e, ok := sh.entries[string(key)]; ok {
			m.missing(i, string(key), e)
		}
		sh.keep(key, value, expireAt)
		sh.shard.Set(Hash(key), key, value, expireAt)
		m.noteLimit()
		return
	}
	if limit := m.budget.Limit(); limit == 0 || m.inUse() <= limit-2*slackMax {
		m.t.Fatalf("refused at %d of %d", m.inUse(), limit)
	}
}

func (m *budgeted) noteLimit() {
	if limit := m.budget.Limit(); limit > 0 && m.inUse() > limit-2*slackMax {
		m.mayGo = true
	}
}

// reconcile takes off the map of a shard what went of itself, and checks that it was allowed to.
func (m *budgeted) reconcile(i int) {
	sh := m.shards[i]
	stats := sh.shard.Stats()
	if stats == m.gone[i] && sh.shard.Len() == len(sh.entries) {
		return
	}
	for key, e := range sh.entries {
		m.missing(i, key, e)
	}
	if stats != m.gone[i] {
		m.t.Fatalf("shard %d says %+v, its entries %+v", i, stats, m.gone[i])
	}
	if stats.Evicted > 0 && !m.mayGo {
		m.t.Fatalf("shard %d evicted while the store was under its limit", i)
	}
}

// missing takes an entry off the map if the shard does not have it.
func (m *budgeted) missing(i int, key string, e entry) {
	sh := m.shards[i]
	if r, _ := sh.shard.find(Hash([]byte(key)), []byte(key), noUse); r.exists() {
		return
	}
	sh.drop([]byte(key))
	if e.expireAt != 0 && e.expireAt <= sh.now {
		m.gone[i].Expired++
	} else {
		m.gone[i].Evicted++
	}
}

func (m *budgeted) pass(ms int64) {
	for _, sh := range m.shards {
		sh.now += ms
	}
}

func (m *budgeted) check() {
	m.t.Helper()
	off := m.inUse() - m.budget.Used()
	if off > 2*slackMax || off < -2*slackMax {
		m.t.Fatalf("in use %d, budget off by %d", m.inUse(), off)
	}
	for _, sh := range m.shards {
		sh.counters()
		sh.check()
	}
}

// budgetedCommands runs the commands that bytes decode to, three bytes each.
func budgetedCommands(t testing.TB, data []byte) {
	m := newBudgeted(t)
	for step := 0; len(data) >= 3; step++ {
		what, which, how := data[0], data[1], data[2]
		data = data[3:]
		i := int(what >> 7)
		sh := m.shards[i]
		key := fuzzKey(which)
		value := bytes.Repeat([]byte{which ^ how}, sizes[int(how)%len(sizes)])
		expireAt := int64(0)
		if how >= 128 {
			expireAt = sh.now + int64(how-128)
		}
		switch what % 16 {
		case 0, 1, 2:
			m.set(i, key, value, expireAt)
		case 3:
			for n := range int(how) * 4 {
				m.set(i, numbered(int(which&7)<<11+n), key[:min(len(key), 100)], expireAt)
			}
		case 4:
			sh.setDeadline(key, expireAt)
		case 5, 6:
			m.delete(i, key)
		case 7:
			for n := range int(how) * 4 {
				m.delete(i, numbered(int(which&7)<<11+n))
			}
		case 8, 9:
			sh.shard.Maintain(sh.now, int(how))
		case 10:
			m.pass(int64(how) << (which % 10))
		case 11:
			m.budget.SetPolicy(Policy(which) % Policy(len(policies)))
		case 12:
			m.budget.SetLimit(int64(how) << (which % 16))
		case 13:
			if how == 0 {
				sh.clear()
			}
		default:
			for n := range 50 {
				sh.get(fuzzKey(which + byte(n)))
			}
		}
		m.noteLimit()
		m.reconcile(i)
		sh.get(key)
		if step%32 == 0 {
			m.check()
		}
	}
	m.check()
}

func (m *budgeted) delete(i int, key []byte) {
	sh := m.shards[i]
	if e, ok := sh.entries[string(key)]; ok && e.expireAt != 0 && e.expireAt <= sh.now {
		m.gone[i].Expired++
	}
	sh.delete(key)
}

func FuzzBudgetAgainstMap(f *testing.F) { fuzzCommands(f, 51, budgetedCommands) }

// TestBudgetAgainstMap runs random sequences that begin with each policy at a small limit.
func TestBudgetAgainstMap(t *testing.T) {
	rounds := uint64(20)
	if testing.Short() {
		rounds = 5
	}
	for seed := range rounds {
		rng := rand.New(rand.NewPCG(52, seed))
		data := []byte{11, byte(seed % uint64(len(policies))), 0, 12, 11, 200} // 400 KiB
		for len(data) < 1500 {
			r := rng.Uint32()
			if what := byte(r) % 16; seed%2 == 0 && (what == 11 || what == 12) {
				continue // stay with this policy
			}
			data = append(data, byte(r), byte(r>>8), byte(r>>16))
		}
		budgetedCommands(t, data)
	}
}
