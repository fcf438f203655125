package command

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"
	"syscall"
	"time"

	"github.com/shardlab/shardlab/store"
)

// ServerInfo is what INFO shows of the server itself; process figures are read when INFO is asked.
type ServerInfo struct {
	Version  string // shardlab's own
	Port     int
	Started  time.Time
	Clients  int64
	Accepted uint64
	Rejected uint64
	MaxConns int
	Counts   Counts
	Budget   *store.Budget
	Topology []Setting // name, boundary, dispatch, transport, shards, workers, direct ports
}

// infoSections are INFO's sections in order. A section is shown when it is asked for, or nothing particular is.
var infoSections = []struct {
	name  string
	lines func(b *strings.Builder, s *ServerInfo, acc *Acc)
}{
	{"server", infoServer},
	{"clients", infoClients},
	{"memory", infoMemory},
	{"stats", infoStats},
	{"replication", func(b *strings.Builder, _ *ServerInfo, _ *Acc) { line(b, "role", "master") }},
	{"cpu", infoCPU},
	{"runtime", infoRuntime},
	{"topology", func(b *strings.Builder, s *ServerInfo, _ *Acc) {
		for _, t := range s.Topology {
			line(b, t.Name, t.Value)
		}
	}},
	{"keyspace", func(b *strings.Builder, _ *ServerInfo, acc *Acc) {
		if acc.Keys > 0 {
			line(b, "db0", fmt.Sprintf("keys=%d,expires=%d,avg_ttl=0", acc.Keys, acc.TTLs))
		}
	}},
}

func formatInfo(s ServerInfo, acc *Acc, wanted [][]byte) string {
	var b strings.Builder
	for _, sec := range infoSections {
		if !wantsSection(wanted, sec.name) {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString("# " + strings.ToUpper(sec.name[:1]) + sec.name[1:] + "\r\n")
		sec.lines(&b, &s, acc)
	}
	return b.String()
}

func wantsSection(wanted [][]byte, name string) bool {
	for _, w := range wanted {
		if is(w, name) || is(w, "all") || is(w, "default") || is(w, "everything") {
			return true
		}
	}
	return len(wanted) == 0
}

func line(b *strings.Builder, name string, value any) { fmt.Fprintf(b, "%s:%v\r\n", name, value) }

func infoServer(b *strings.Builder, s *ServerInfo, _ *Acc) {
	up := int64(time.Since(s.Started).Seconds())
	line(b, "redis_version", CompatVersion)
	line(b, "shardlab_version", s.Version)
	line(b, "redis_mode", "standalone")
	line(b, "os", runtime.GOOS+" "+runtime.GOARCH)
	line(b, "process_id", os.Getpid())
	line(b, "tcp_port", s.Port)
	line(b, "uptime_in_seconds", up)
	line(b, "uptime_in_days", up/86400)
}

func infoClients(b *strings.Builder, s *ServerInfo, _ *Acc) {
	line(b, "connected_clients", s.Clients)
	line(b, "maxclients", s.MaxConns)
}

func infoMemory(b *strings.Builder, s *ServerInfo, acc *Acc) {
	line(b, "used_memory", acc.Reserved)
	line(b, "used_memory_dataset", acc.Stored)
	line(b, "maxmemory", s.Budget.Limit())
	line(b, "maxmemory_policy", s.Budget.Policy())
	line(b, "mem_allocator", "shardlab")
}

func infoStats(b *strings.Builder, s *ServerInfo, acc *Acc) {
	line(b, "total_connections_received", s.Accepted)
	line(b, "rejected_connections", s.Rejected)
	line(b, "total_commands_processed", s.Counts.Commands)
	line(b, "keyspace_hits", s.Counts.Hits)
	line(b, "keyspace_misses", s.Counts.Misses)
	line(b, "expired_keys", acc.Expired)
	line(b, "evicted_keys", acc.Evicted)
}

func infoCPU(b *strings.Builder, _ *ServerInfo, _ *Acc) {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		line(b, "used_cpu_sys", fmt.Sprintf("%d.%06d", u.Stime.Sec, u.Stime.Usec))
		line(b, "used_cpu_user", fmt.Sprintf("%d.%06d", u.Utime.Sec, u.Utime.Usec))
	}
}

// infoRuntime is what the Go runtime did: garbage collections, the CPU they took, the heap. Nanoseconds and bytes.
func infoRuntime(b *strings.Builder, _ *ServerInfo, _ *Acc) {
	samples := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/cpu/classes/gc/total:cpu-seconds"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/sched/goroutines:goroutines"},
		{Name: "/sync/mutex/wait/total:seconds"},
	}
	metrics.Read(samples)
	line(b, "go_version", runtime.Version())
	line(b, "gomaxprocs", runtime.GOMAXPROCS(0))
	line(b, "gc_cycles", samples[0].Value.Uint64())
	line(b, "gc_cpu_ns", int64(samples[1].Value.Float64()*1e9))
	line(b, "heap_live", samples[2].Value.Uint64())
	line(b, "runtime_memory", samples[3].Value.Uint64())
	line(b, "goroutines", samples[4].Value.Uint64())
	line(b, "mutex_wait_ns", int64(samples[5].Value.Float64()*1e9))
}
