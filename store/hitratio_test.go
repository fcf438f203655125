package store

import (
	"bufio"
	"container/list"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
)

// Hit ratios beside redis-server: the same read-through stream (a miss is followed by a set) through both. With
// SHARDLAB_HITRATIO=full it is the table of doc.go, otherwise a part of it in small.

// stream makes the numbers of keys: zipfian over n, and, if scans is set, a third of them in scans over keys that never
// come again.
type stream struct {
	rng   *rand.Rand
	sum   []float64 // of the weights of the ranks up to this one
	order []int     // rank -> key
	scans bool
	left  int // of the scan that runs
	cold  int
}

func newStream(n int, scans bool) *stream {
	s := &stream{rng: rand.New(rand.NewPCG(71, 71)), sum: make([]float64, n), scans: scans, cold: n}
	total := 0.0
	for i := range s.sum {
		total += math.Pow(float64(i+1), -0.99)
		s.sum[i] = total
	}
	s.order = s.rng.Perm(n)
	return s
}

func (s *stream) next() int {
	if s.scans && s.left == 0 && s.rng.IntN(2000) == 0 {
		s.left = 1000
	}
	if s.left > 0 {
		s.left--
		s.cold++
		return s.cold
	}
	return s.order[sort.SearchFloat64s(s.sum, s.rng.Float64()*s.sum[len(s.sum)-1])]
}

// valueOf returns the value of a key: 64 to 256 bytes, always as many.
func valueOf(i int) []byte { return make([]byte, 64+Hash(numbered(i))%193) }

// A holder is what the stream goes through: it gets keys, all at once, and then sets some.
type holder interface {
	get(keys []int, hit []bool)
	set(keys []int)
	entries() int
}

// hitRatio sends ops reads, in batches as a pipeline, and returns the share of hits in the second half.
func hitRatio(h holder, s *stream, ops int) float64 {
	const batch = 64
	var missed []int
	keys, hit := make([]int, batch), make([]bool, batch)
	hits, counted := 0, 0
	for done := 0; done < ops; done += batch {
		for i := range keys {
			keys[i] = s.next()
		}
		h.get(keys, hit)
		missed = missed[:0]
		for i, ok := range hit {
			if !ok {
				missed = append(missed, keys[i])
			}
			if done >= ops/2 {
				counted++
				if ok {
					hits++
				}
			}
		}
		h.set(missed)
	}
	return float64(hits) / float64(counted)
}

// ours is a store of four shards.
type ours struct {
	budget *Budget
	shards [4]*Shard
	now    int64
}

func newOurs(limit int64, p Policy) *ours {
	o := &ours{budget: NewBudget(limit, p), now: 1_700_000_000_000}
	for i := range o.shards {
		o.shards[i] = New()
		o.shards[i].Attach(o.budget)
	}
	return o
}

func (o *ours) get(keys []int, hit []bool) {
	o.now++
	for i, k := range keys {
		key := numbered(k)
		hash := Hash(key)
		_, hit[i] = o.shards[ShardOf(hash, 4)].Get(hash, key, o.now)
	}
	o.shards[o.now%4].Maintain(o.now, 64)
}

func (o *ours) set(keys []int) {
	for _, k := range keys {
		key := numbered(k)
		hash := Hash(key)
		s := o.shards[ShardOf(hash, 4)]
		if !s.MakeRoom(o.now) {
			panic("refused")
		}
		s.Set(hash, key, valueOf(k), 0)
	}
}

func (o *ours) entries() (n int) {
	for _, s := range o.shards {
		n += s.Len()
	}
	return n
}

// exact is an LRU of so many entries as it is in books.
type exact struct {
	most  int
	order *list.List
	at    map[int]*list.Element
}

func (e *exact) get(keys []int, hit []bool) {
	for i, k := range keys {
		at, ok := e.at[k]
		if hit[i] = ok; ok {
			e.order.MoveToFront(at)
		}
	}
}

func (e *exact) set(keys []int) {
	for _, k := range keys {
		if e.at[k] == nil {
			e.at[k] = e.order.PushFront(k)
		}
		if e.order.Len() > e.most {
			delete(e.at, e.order.Remove(e.order.Back()).(int))
		}
	}
}

func (e *exact) entries() int { return e.order.Len() }

// redis is a connection to a redis-server of our own.
type redis struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
	out  []byte
}

func newRedis(t *testing.T, maxMemory int64, p Policy) *redis {
	dir := t.TempDir()
	socket := filepath.Join(dir, "s")
	cmd := exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no",
		"--dir", dir, "--maxmemory", strconv.FormatInt(maxMemory, 10), "--maxmemory-policy", p.String())
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "ready to accept connections") {
			break
		}
	}
	go io.Copy(io.Discard, out) // ends with the process
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &redis{t: t, conn: conn, r: bufio.NewReaderSize(conn, 1<<16)}
}

func (r *redis) add(words ...[]byte) {
	r.out = fmt.Appendf(r.out, "*%d\r\n", len(words))
	for _, w := range words {
		r.out = fmt.Appendf(r.out, "$%d\r\n%s\r\n", len(w), w)
	}
}

func (r *redis) send() {
	if _, err := r.conn.Write(r.out); err != nil {
		r.t.Fatal(err)
	}
	r.out = r.out[:0]
}

// reply reads a reply and returns its number, or length; -1 for nil.
func (r *redis) reply() int {
	line, err := r.r.ReadString('\n')
	if err != nil || line[0] == '-' {
		r.t.Fatalf("redis-server answers %q, %v", line, err)
	}
	n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
	if line[0] == '$' && n >= 0 {
		r.r.Discard(n + 2)
	}
	return n
}

func (r *redis) get(keys []int, hit []bool) {
	for _, k := range keys {
		r.add([]byte("GET"), numbered(k))
	}
	r.send()
	for i := range keys {
		hit[i] = r.reply() >= 0
	}
}

func (r *redis) set(keys []int) {
	for _, k := range keys {
		r.add([]byte("SET"), numbered(k), valueOf(k))
	}
	r.send()
	for range keys {
		r.reply()
	}
}

func (r *redis) entries() int {
	r.add([]byte("DBSIZE"))
	r.send()
	return r.reply()
}

// TestHitRatio compares with redis-server of the same maxmemory: at as many bytes, and at as many entries.
func TestHitRatio(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("no redis-server on the PATH")
	}
	if testing.Short() || raceDetector {
		t.Skip("takes some seconds, and minutes with the race detector")
	}
	full := os.Getenv("SHARDLAB_HITRATIO") == "full"
	keys, ops := 50_000, 200_000
	if full {
		keys, ops = 1_000_000, 2_000_000
	}
	t.Logf("%-14s %-5s %7s %17s %9s %17s %9s %9s", "policy", "scans", "limit", "redis: entries", "hits",
		"same bytes: entries", "hits", "same entries: hits")
	for _, c := range []struct {
		policy Policy
		share  int // of the keys that fit, in percent
		scans  bool
	}{
		{AllKeysLRU, 10, false}, {AllKeysLRU, 25, false}, {AllKeysLRU, 10, true}, {AllKeysLRU, 25, true},
		{AllKeysLFU, 10, false}, {AllKeysLFU, 25, false}, {AllKeysLFU, 10, true}, {AllKeysLFU, 25, true},
	} {
		if !full && c.share != 10 {
			continue
		}
		// What redis-server takes empty, and for an entry.
		limit := int64(1<<20 + keys*c.share/100*288)
		r := newRedis(t, limit, c.policy)
		theirs := hitRatio(r, newStream(keys, c.scans), ops)
		o := newOurs(limit, c.policy)
		sameBytes := hitRatio(o, newStream(keys, c.scans), ops)
		same, sameEntries := sameAmount(r.entries(), o, c.policy, keys, c.scans, ops)
		t.Logf("%-14v %-5v %5d M %9d %6.2f%% %9d %6.2f%% %9d %6.2f%%", c.policy, c.scans, limit>>20,
			r.entries(), 100*theirs, o.entries(), 100*sameBytes, same, 100*sameEntries)
		if sameEntries < theirs-0.005 {
			t.Errorf("%v, scans %v: %.2f %% hits, redis-server %.2f %% at as many entries",
				c.policy, c.scans, 100*sameEntries, 100*theirs)
		}
		if c.policy == AllKeysLRU {
			e := &exact{most: same, order: list.New(), at: map[int]*list.Element{}}
			t.Logf("%-14s %-5v %61s %9d %6.2f%%", "exact LRU", c.scans, "", same, 100*hitRatio(e, newStream(keys, c.scans), ops))
			o := newOurs(limit, AllKeysS3FIFO)
			sameBytes := hitRatio(o, newStream(keys, c.scans), ops)
			same, sameEntries := sameAmount(r.entries(), o, AllKeysS3FIFO, keys, c.scans, ops)
			t.Logf("%-14v %-5v %7s %16s %9d %6.2f%% %9d %6.2f%%", AllKeysS3FIFO, c.scans, "", "",
				o.entries(), 100*sameBytes, same, 100*sameEntries)
		}
	}
}

// sameAmount runs a store of ours with the limit at which it holds about as many entries, judging by what o holds.
func sameAmount(entries int, o *ours, p Policy, keys int, scans bool, ops int) (got int, ratio float64) {
	perEntry := float64(o.budget.Used()) / float64(o.entries())
	o = newOurs(int64(float64(entries)*perEntry), p)
	ratio = hitRatio(o, newStream(keys, scans), ops)
	return o.entries(), ratio
}

// TestLRUIsNearlyExact holds sampling, ageing and the clock's ticks to what an exact LRU of as many entries hits.
func TestLRUIsNearlyExact(t *testing.T) {
	for _, scans := range []bool{false, true} {
		const keys, ops = 50_000, 300_000
		o := newOurs(keys/10*240, AllKeysLRU)
		got := hitRatio(o, newStream(keys, scans), ops)
		e := &exact{most: o.entries(), order: list.New(), at: map[int]*list.Element{}}
		want := hitRatio(e, newStream(keys, scans), ops)
		t.Logf("scans %v: %d entries, %.2f %% hits, exact %.2f %%", scans, o.entries(), 100*got, 100*want)
		if got < want-0.003 {
			t.Errorf("scans %v: %.2f %% hits, exact LRU %.2f %%", scans, 100*got, 100*want)
		}
	}
}
