package admin

import (
	"math"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// collector makes metrics of Figures, anew for each scrape.
type collector struct{ figures func() Figures }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("shardlab_"+name, help, labels, nil)
}

var (
	commands = desc("commands_total", "Commands executed, by name; of a container with its subcommand.", "command")
	hits     = desc("keyspace_hits_total", "Reads that found their key.")
	misses   = desc("keyspace_misses_total", "Reads that did not find their key.")
	expired  = desc("expired_keys_total", "Keys deleted because their time was over.")
	evicted  = desc("evicted_keys_total", "Keys deleted to stay within the memory limit.")
	limit    = desc("memory_limit_bytes", "Memory that entries may take; 0 means no limit.")
	used     = desc("memory_used_bytes", "Memory that entries take, as counted for the limit.")

	conns     = desc("connections", "Open connections, by front.", "front")
	accepted  = desc("connections_accepted_total", "Connections accepted, without those rejected, by front.", "front")
	rejected  = desc("connections_rejected_total", "Connections rejected for being above the limit, by front.", "front")
	received  = desc("received_bytes_total", "Bytes read from connections of the main port and the direct shard ports.")
	sent      = desc("sent_bytes_total", "Bytes written to connections of the main port and the direct shard ports.")
	responses = desc("http_responses_total", "HTTP responses of the key front, by class of status.", "class")

	hopSizes   = desc("hop_batch_size", "Parts of requests carried by each message to the owner of shards; the count is that of hops.")
	loans      = desc("loans_total", "Commands that held the shards of several owners, or all of another's.")
	lockWaits  = desc("lock_waits_total", "Times that a session had to wait for the lock of a shard.")
	lockWaited = desc("lock_wait_seconds_total", "Time that sessions waited for locks of shards.")
	loopCPU    = desc("loop_cpu_seconds_total",
		"Processor time of each event loop's thread: its rate is the loop's utilisation, from 0 to 1.", "loop")

	shardEntries  = desc("shard_entries", "Entries in the shard, expired ones that are not yet deleted too.", "shard")
	shardTTLs     = desc("shard_ttl_entries", "Entries in the shard that have a time to live.", "shard")
	shardStored   = desc("shard_stored_bytes", "Bytes of the keys and values in the shard.", "shard")
	shardReserved = desc("shard_reserved_bytes", "Bytes of memory that the shard holds.", "shard")
	shardExpired  = desc("shard_expired_keys_total", "Keys of the shard deleted because their time was over.", "shard")
	shardEvicted  = desc("shard_evicted_keys_total", "Keys of the shard deleted to stay within the memory limit.", "shard")
)

// Describe implements prometheus.Collector. What is collected depends on the topology, so it promises nothing.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	f := c.figures()
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	info(&f, ch)
	for name, n := range f.Commands {
		counter(commands, float64(n), name)
	}
	counter(hits, float64(f.Hits))
	counter(misses, float64(f.Misses))
	gauge(limit, float64(f.MemoryLimit))
	gauge(used, float64(f.MemoryUsed))
	for _, front := range f.Fronts {
		gauge(conns, float64(front.Conns), front.Name)
		counter(accepted, float64(front.Accepted), front.Name)
		counter(rejected, float64(front.Rejected), front.Name)
	}
	counter(received, float64(f.Received))
	counter(sent, float64(f.Sent))
	for class := 1; class < len(f.HTTPResponses); class++ {
		counter(responses, float64(f.HTTPResponses[class]), strconv.Itoa(class)+"xx")
	}
	ch <- f.Hops.histogram(hopSizes)
	counter(loans, float64(f.Loans))
	counter(lockWaits, float64(f.LockWaits))
	counter(lockWaited, f.LockWaited.Seconds())
	for i, d := range f.LoopCPU {
		counter(loopCPU, d.Seconds(), strconv.Itoa(i))
	}
	f.collectShards(ch)
}

// maxShards is the most shards that are shown one by one: thousands of them would make a page that helps nobody.
const maxShards = 1024

func (f *Figures) collectShards(ch chan<- prometheus.Metric) {
	var sum Shard
	for i := range f.Shards {
		s := &f.Shards[i]
		sum.Expired += s.Expired
		sum.Evicted += s.Evicted
		if len(f.Shards) > maxShards {
			continue
		}
		name := strconv.Itoa(i)
		for _, m := range []struct {
			desc *prometheus.Desc
			kind prometheus.ValueType
			n    int64
		}{
			{shardEntries, prometheus.GaugeValue, s.Entries},
			{shardTTLs, prometheus.GaugeValue, s.TTLs},
			{shardStored, prometheus.GaugeValue, s.Stored},
			{shardReserved, prometheus.GaugeValue, s.Reserved},
			{shardExpired, prometheus.CounterValue, s.Expired},
			{shardEvicted, prometheus.CounterValue, s.Evicted},
		} {
			ch <- prometheus.MustNewConstMetric(m.desc, m.kind, float64(m.n), name)
		}
	}
	if len(f.Shards) > 0 { // a counter that cannot be known is left out: 0 would look like a restart
		ch <- prometheus.MustNewConstMetric(expired, prometheus.CounterValue, float64(sum.Expired))
		ch <- prometheus.MustNewConstMetric(evicted, prometheus.CounterValue, float64(sum.Evicted))
	}
}

// info says with which settings the figures were made: the labels of a metric that is always 1.
func info(f *Figures, ch chan<- prometheus.Metric) {
	names, values := make([]string, len(f.Settings)), make([]string, len(f.Settings))
	for i, s := range f.Settings {
		names[i], values[i] = s[0], s[1]
	}
	d := desc("topology_info", "The topology and its settings, as labels; the value is always 1.", names...)
	ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, 1, values...)
}

// histogram accumulates: a Prometheus bucket counts everything up to its bound.
func (s *Sizes) histogram(d *prometheus.Desc) prometheus.Metric {
	buckets, count := map[float64]uint64{}, uint64(0)
	for i, n := range s.Buckets {
		if count += n; i < len(s.Buckets)-1 { // the last has no bound
			buckets[math.Exp2(float64(i))] = count
		}
	}
	return prometheus.MustNewConstHistogram(d, count, float64(s.Sum), buckets)
}
