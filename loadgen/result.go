package loadgen

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Result is what the clients saw in one window.
//
// A closed loop counts the requests that were sent between the two edges of the window, an open loop the arrivals that
// were due there, whenever they were answered: what a stall at the end of the window held up is not forgotten. In an
// open loop Intended = Sent + Unsent, and in both Sent = all Ops + Errors + TimedOut + InFlight. Replies, bytes and CPU times are
// between the edges in both.
//
// The histograms belong to the session: its next Run overwrites them. All else belongs to the caller.
type Result struct {
	Mode    Mode
	Start   time.Time     // of what was measured, after the lead-in
	Began   int64         // the same on Monotonic's scale, which other processes share
	Dur     time.Duration // measured, on average over the workers; each begins and ends at its first look at the clock
	Sockets int           // connections that carried the load

	Ops     [NumOps]uint64 // answered, with a reply of the right type
	Errors  uint64         // answered with an error, or with a reply of a wrong type; in no histogram
	Names   [NumOps]string // what they are called
	Reads   uint64         // keys that GETs and MGETs, counted in Ops, asked for
	Misses  uint64         // of those, keys that were not there although every key was preloaded
	Checked uint64         // of those, values compared byte by byte: of one operation in 64
	Corrupt uint64         // of those, values of a wrong length or, where checked, content
	// FirstError is the first error reply, with its operation, or what a reply of a wrong type was.
	FirstError string

	Intended uint64 // open: arrivals due in the window
	Late     uint64 // open: sent more than 1 ms after they were due
	Unsent   uint64 // open: not sent when the drain ended, or given up because the backlog was full
	Sent     uint64 // offered to the kernel; of an open loop, arrivals due in the window
	TimedOut uint64 // sent, and without a reply for Load.Timeout; in the histograms with that, which is less than they took
	InFlight uint64 // sent, and without a reply when the drain ended
	Owed     int    // replies still to come when the drain ended, to whatever request; unless 0 the session is of no more use

	Replies  uint64 // of whatever kind, read between the edges
	BytesIn  uint64
	BytesOut uint64

	ServerCPU time.Duration   // by Window.ServerCPU
	ClientCPU []time.Duration // of each worker's thread, without what it has spun
	Spin      time.Duration   // CPU time of all of them that went into looking for nothing, by Load.Spin
	Spun      []time.Duration // of each: Spin is their sum
	Busiest   float64         // the largest share of its time that a worker's thread was on a CPU, spinning aside, 0 to 1

	// Response runs from when a request was due to when its whole reply was read, Service from when the request was
	// offered to the kernel; in ns. They are nil for operations that the workload does not have. In a closed loop a request is due when it is sent: they are the same histograms.
	Response, Service [NumOps]*hdrhistogram.Histogram
	Lateness          *hdrhistogram.Histogram // open: from due to sent, of every request sent; nil in a closed loop
	Reconnects        uint64                  // connections that were opened anew, by Load.Churn, between the edges
	Connect           *hdrhistogram.Histogram // how long that took; nil where the session does not churn
	Pacing            Pacing                  // open: how what was sent was spaced
	Overflow          uint64                  // entries of all histograms that stand at 60 s and were longer
}

// Total returns the sum of Ops.
func (r *Result) Total() uint64 {
	var n uint64
	for _, ops := range r.Ops {
		n += ops
	}
	return n
}
