package command

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"
	"syscall"
	"time"
)

// Names and units are Redis's, so that what reads them finds them. What a server without persistence or replicas never does says
// so; what Redis alone has is left out.

func infoServer(b *strings.Builder, s *ServerInfo, _ *Acc) {
	now := time.Now()
	up := int64(now.Sub(s.Started).Seconds())
	executable, _ := os.Executable()
	line(b, "redis_version", CompatVersion)
	line(b, "shardlab_version", s.Version)
	line(b, "redis_mode", "standalone")
	line(b, "os", runtime.GOOS+" "+runtime.GOARCH)
	line(b, "arch_bits", 32<<(^uint(0)>>63))
	line(b, "process_id", os.Getpid())
	line(b, "run_id", s.RunID)
	line(b, "tcp_port", s.Port)
	line(b, "server_time_usec", now.UnixMicro())
	line(b, "uptime_in_seconds", up)
	line(b, "uptime_in_days", up/86400)
	line(b, "executable", executable)
	line(b, "config_file", "")
}

func infoClients(b *strings.Builder, s *ServerInfo, _ *Acc) {
	line(b, "connected_clients", s.Clients)
	line(b, "cluster_connections", 0)
	line(b, "maxclients", s.MaxConns)
	line(b, "blocked_clients", 0)
	line(b, "tracking_clients", 0)
}

func infoMemory(b *strings.Builder, s *ServerInfo, acc *Acc) {
	size := func(name string, n int64) {
		line(b, name, n)
		line(b, name+"_human", human(n))
	}
	rss := residentBytes()
	size("used_memory", acc.Reserved)
	size("used_memory_rss", rss)
	line(b, "used_memory_dataset", acc.Stored)
	line(b, "used_memory_overhead", acc.Reserved-acc.Stored)
	line(b, "used_memory_counted", s.Budget.Used()) // what maxmemory limits
	size("maxmemory", s.Budget.Limit())
	line(b, "maxmemory_policy", s.Budget.Policy())
	line(b, "mem_fragmentation_ratio", fmt.Sprintf("%.2f", float64(rss)/float64(max(acc.Reserved, 1))))
	line(b, "mem_allocator", "shardlab")
}

// residentBytes is how much memory the process has; 0 if it cannot be told.
func residentBytes() int64 {
	var size, resident int64
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fmt.Sscan(string(text), &size, &resident)
	return resident * int64(os.Getpagesize())
}

func infoPersistence(b *strings.Builder, _ *ServerInfo, _ *Acc) {
	for _, name := range []string{"loading", "async_loading", "rdb_bgsave_in_progress", "aof_enabled", "aof_rewrite_in_progress"} {
		line(b, name, 0)
	}
}

func infoStats(b *strings.Builder, s *ServerInfo, acc *Acc) {
	line(b, "total_connections_received", s.Accepted)
	line(b, "total_commands_processed", s.Counts.Commands)
	line(b, "instantaneous_ops_per_sec", int64(s.Rates.CommandsPS))
	line(b, "total_net_input_bytes", s.Rates.Received)
	line(b, "total_net_output_bytes", s.Rates.Sent)
	line(b, "instantaneous_input_kbps", fmt.Sprintf("%.2f", s.Rates.ReceivedPS/1024))
	line(b, "instantaneous_output_kbps", fmt.Sprintf("%.2f", s.Rates.SentPS/1024))
	line(b, "rejected_connections", s.Rejected)
	line(b, "expired_keys", max(acc.Expired-s.Expired, 0))
	line(b, "evicted_keys", max(acc.Evicted-s.Evicted, 0))
	line(b, "keyspace_hits", s.Counts.Hits)
	line(b, "keyspace_misses", s.Counts.Misses)
	line(b, "pubsub_channels", 0)
	line(b, "pubsub_patterns", 0)
	line(b, "total_error_replies", s.Stats.Errors(func(string, uint64) {}))
}

func infoReplication(b *strings.Builder, s *ServerInfo, _ *Acc) {
	line(b, "role", "master")
	line(b, "connected_slaves", 0)
	line(b, "master_replid", s.RunID)
	line(b, "master_repl_offset", 0)
}

func infoCPU(b *strings.Builder, _ *ServerInfo, _ *Acc) {
	for _, of := range []struct {
		who    int
		suffix string
	}{{syscall.RUSAGE_SELF, ""}, {syscall.RUSAGE_CHILDREN, "_children"}} {
		var u syscall.Rusage
		if syscall.Getrusage(of.who, &u) == nil {
			line(b, "used_cpu_sys"+of.suffix, fmt.Sprintf("%d.%06d", u.Stime.Sec, u.Stime.Usec))
			line(b, "used_cpu_user"+of.suffix, fmt.Sprintf("%d.%06d", u.Utime.Sec, u.Utime.Usec))
		}
	}
}

// infoCommandStats says 0 for the time that commands took: they are not timed, since reading the clock costs as much as many a
// command.
func infoCommandStats(b *strings.Builder, s *ServerInfo, _ *Acc) {
	s.Stats.Calls(func(cmd *Spec, calls, rejected, failed uint64) {
		line(b, "cmdstat_"+cmd.Name, fmt.Sprintf("calls=%d,usec=0,usec_per_call=0.00,rejected_calls=%d,failed_calls=%d",
			calls, rejected, failed))
	})
}

func infoErrorStats(b *strings.Builder, s *ServerInfo, _ *Acc) {
	s.Stats.Errors(func(code string, n uint64) { line(b, "errorstat_"+code, fmt.Sprintf("count=%d", n)) })
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
		{Name: "/gc/heap/allocs:objects"},
		{Name: "/gc/heap/allocs:bytes"},
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
	line(b, "alloc_objects", samples[6].Value.Uint64())
	line(b, "alloc_bytes", samples[7].Value.Uint64())
}
