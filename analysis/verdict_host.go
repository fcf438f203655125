package analysis

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/shardlab/shardlab/results"
)

// The limits of the checks of what befell the two sides on their machine.
const (
	maxClientGC   = 0.05 // of a processor: the client's collector. Not of the client's own time, which is little where little is asked
	maxClientWait = 0.05 // of the time: the load thread could run and had no processor
	maxThrottled  = 0.02 // of the time: a CPU quota held processes back; as much as steal may take of a slice
	serverBound   = 0.95 // of the server's processors
)

// sum adds a measure over the valid slices of usable blocks.
func (e evidence) sum(value func(*results.Slice) int64) (n float64) {
	for _, b := range usableBlocks(e.blocks) {
		for _, s := range b.valid {
			n += float64(value(s))
		}
	}
	return n
}

func (e evidence) dur() float64 {
	return e.sum(func(s *results.Slice) int64 { return s.Dur })
}

// visit is how long what is counted over a slice's whole visit was counted. Runs from before it was recorded have the window's length.
func visit(s *results.Slice) int64 { return cmp.Or(s.Visit, s.Dur) }

func checkClientGC(e evidence) *Finding {
	gc, dur := e.sum(func(s *results.Slice) int64 { return s.ClientGC }), e.sum(visit)
	if gc <= maxClientGC*dur {
		return nil
	}
	return &Finding{ClientBound, fmt.Sprintf("the client's collector took more than %.0f%% of a processor: latencies have its pauses, "+
		"the server could do more", maxClientGC*100), fmt.Sprintf("%.0f%%", 100*gc/dur), "set GOGC=400, or use fewer connections and keys"}
}

// checkClientWait: a load thread that waits for a processor reads replies late and, in an open loop, sends late. What it may wait each time
// is what a send may be late.
func checkClientWait(e evidence) *Finding {
	share := e.median(func(s *results.Slice) float64 { return float64(s.ClientWait) / float64(visit(s)) })
	each := e.median(func(s *results.Slice) float64 { return float64(s.ClientWait) / float64(max(s.ClientRuns, 1)) })
	late := e.open() && each > e.pacingBudget()
	if share <= maxClientWait && !late {
		return nil
	}
	return &Finding{ClientBound, "a load thread had to wait for a processor that something else was using: latencies include that wait, " +
		"the server could do more", fmt.Sprintf("%.0f%% of the time, %s each time", 100*share, FormatDuration(each)),
		"keep other programs off the client's processors, or give run.cpus others"}
}

func checkThrottled(e evidence) *Finding {
	throttled, dur := e.sum(func(s *results.Slice) int64 { return s.Throttled }), e.sum(visit)
	if throttled <= maxThrottled*dur {
		return nil
	}
	periods := e.sum(func(s *results.Slice) int64 { return s.ThrottledPeriods })
	return &Finding{Invalid, "a CPU quota held server or client back: figures are of the quota",
		fmt.Sprintf("for %s of %s, in %.0f periods", FormatDuration(throttled), FormatDuration(dur), periods),
		"raise the control group's quota (cpu.max), or keep run.cpus within it"}
}

// checkListenDrops: whoever is turned away tries again a second later.
func checkListenDrops(e evidence) *Finding {
	n := e.total(func(s *results.Slice) uint64 { return uint64(max(s.ListenDrops, 0)) })
	if n == 0 {
		return nil
	}
	return &Finding{Saturated, "connections found a full listen queue and were dropped", fmt.Sprintf("%d on this machine", n),
		"raise the server's backlog and net.core.somaxconn, or open connections more slowly"}
}

// What practice wants of connections before a tail is quoted (mutilate's guide): fewer on a server thread, and a few connections' luck is the
// tail; more on a load thread, and the client's own queue is in it.
const (
	minFanIn  = 100
	maxFanOut = 16
)

// fanIn says what is wanting of an open loop's connections.
func fanIn(p results.Point, c results.CPUs) Warning {
	if p.Mode != "open" || p.Via != "" || p.Group != "" || len(p.Groups) > 0 { // a light group that measures beside a heavy one is the cure
		return ""
	}
	server, client := results.CPUListLen(c.Server), cmp.Or(c.ClientThreads, results.CPUListLen(c.Client))
	few, crowded := server > 0 && p.Connections < minFanIn*server, client > 0 && p.Connections > maxFanOut*client
	if !few && !crowded {
		return ""
	}
	var is []string
	if few {
		is = append(is, fmt.Sprintf("fewer than %d a server thread (%s)", minFanIn, shortSI(float64(p.Connections)/float64(server))))
	}
	if crowded {
		is = append(is, fmt.Sprintf("more than %d a load thread (%s)", maxFanOut, shortSI(float64(p.Connections)/float64(client))))
	}
	return Warning("tails depend on how connections are spread, and these are " + strings.Join(is, " and ") +
		": compare tails, and quote them with the connections")
}

// serverBusy is the share of the server's processors that its process used, 0 to 1; 0 where it is not known.
func (e evidence) serverBusy() float64 {
	if e.serverCPUs == 0 || e.dur() == 0 || e.point.Via != "" { // or clients are in its process
		return 0
	}
	return e.sum(func(s *results.Slice) int64 { return s.ServerCPU }) / e.dur() / float64(e.serverCPUs)
}
