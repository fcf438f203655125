package command

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/shardlab/shardlab/store"
)

// ServerInfo is what INFO shows of the server itself; process figures are read when INFO is asked.
type ServerInfo struct {
	Version  string // shardlab's own
	RunID    string // 40 hexadecimal digits, anew at each start
	Port     int    // 0 without
	Started  time.Time
	Clients  int64
	Accepted uint64
	Rejected uint64
	MaxConns int
	Counts   Counts
	Rates    Rates
	Stats    *Stats
	Budget   *store.Budget
	Topology []Setting // name, boundary, dispatch, transport, shards, workers, direct ports, …

	// Where the shards' own counts stood when CONFIG RESETSTAT started the others at 0.
	Expired, Evicted int64
}

// Rates are how much there was of something, in all and lately.
type Rates struct {
	Received, Sent                 uint64  // bytes
	CommandsPS, ReceivedPS, SentPS float64 // by second
}

// section is a part of what INFO says.
type section struct {
	name   string
	silent bool // only when asked for, or for everything
	lines  func(b *strings.Builder, s *ServerInfo, acc *Acc)
}

// infoSections are INFO's sections in order. A section is shown when it is asked for, or nothing particular is.
var infoSections = []section{
	{"Server", false, infoServer},
	{"Clients", false, infoClients},
	{"Memory", false, infoMemory},
	{"Persistence", false, infoPersistence},
	{"Stats", false, infoStats},
	{"Replication", false, infoReplication},
	{"CPU", false, infoCPU},
	{"Modules", false, func(*strings.Builder, *ServerInfo, *Acc) {}},
	{"Commandstats", true, infoCommandStats},
	{"Errorstats", false, infoErrorStats},
	{"Latencystats", true, func(*strings.Builder, *ServerInfo, *Acc) {}}, // commands are not timed
	{"Cluster", false, func(b *strings.Builder, _ *ServerInfo, _ *Acc) { line(b, "cluster_enabled", 0) }},
	{"Runtime", false, infoRuntime},
	{"Topology", false, infoTopology},
	{"Keyspace", false, infoKeyspace},
}

func formatInfo(s ServerInfo, acc *Acc, wanted [][]byte) string {
	var b strings.Builder
	for i := range infoSections {
		sec := &infoSections[i]
		if !sec.wanted(wanted) {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString("# " + sec.name + "\r\n")
		sec.lines(&b, &s, acc)
	}
	return b.String()
}

func (sec *section) wanted(words [][]byte) bool {
	for _, w := range words {
		if is(w, strings.ToLower(sec.name)) || is(w, "all") || is(w, "everything") || is(w, "default") && !sec.silent {
			return true
		}
	}
	return len(words) == 0 && !sec.silent
}

func line(b *strings.Builder, name string, value any) { fmt.Fprintf(b, "%s:%v\r\n", name, value) }

// human is a number of bytes in a unit that leaves a few digits.
func human(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%dB", n)
	}
	f, unit := float64(n)/1024, 0
	for f >= 1024 && unit < 4 {
		f, unit = f/1024, unit+1
	}
	return fmt.Sprintf("%.2f%c", f, "KMGTP"[unit])
}

func infoTopology(b *strings.Builder, s *ServerInfo, _ *Acc) {
	for _, t := range s.Topology {
		line(b, t.Name, t.Value)
	}
}

func infoKeyspace(b *strings.Builder, _ *ServerInfo, acc *Acc) {
	if acc.Keys > 0 {
		line(b, "db0", fmt.Sprintf("keys=%d,expires=%d,avg_ttl=%d", acc.Keys, acc.TTLs, acc.TTLSum/max(acc.TTLSeen, 1)))
	}
}

// ttlSamples is how many entries of a shard INFO looks at to say how long they have to live.
const ttlSamples = 8

func infoPart(x *Exec, sh *store.Shard, _ uint64, _ [][]byte) {
	m, st, a := sh.Memory(), sh.Stats(), &x.Acc
	a.Keys += int64(sh.Len())
	a.TTLs += int64(sh.TTLs())
	a.Stored += int64(m.Stored)
	a.Reserved += int64(m.Reserved)
	a.Expired += int64(st.Expired)
	a.Evicted += int64(st.Evicted)
	if sh.TTLs() == 0 {
		return
	}
	for range ttlSamples {
		if _, _, at, ok := sh.Random(rand.Uint64()); ok && at > x.Now() {
			a.TTLSum += at - x.Now()
			a.TTLSeen++
		}
	}
}

func info(x *Exec, args [][]byte) {
	x.W.Text(formatInfo(x.Host.ServerInfo(), &x.Acc, args[1:]))
}
