package loadgen

import (
	"fmt"
	"math"
	"time"
)

// Mode says what makes a client send its next operation.
type Mode uint8

// The modes.
const (
	Closed Mode = iota // a reply to an earlier one
	Open               // the clock, whatever became of the earlier ones
)

func (m Mode) String() string {
	switch m {
	case Closed:
		return "closed"
	case Open:
		return "open"
	}
	return fmt.Sprintf("mode %d", uint8(m))
}

// Limits of a load.
const (
	MaxConnections = 1 << 20
	MaxPipeline    = 1 << 16
	MaxInFlight    = 4 << 20 // requests of one session: Connections × Pipeline
)

// Load says how operations are sent.
type Load struct {
	Mode        Mode
	Connections int // logical clients, each with its own stream of operations, and as a rule its own socket

	// First and Clients make the session drive Clients of them only, from number First on; other sessions may drive the others. What
	// each client sends, and when, is the same in either case. Zero Clients are all.
	First, Clients int

	Pipeline int // closed: requests each client keeps in flight

	Rate    float64 // open: operations/s of all clients together, on average
	Arrival Arrival // open: when they fall due

	// RateTo, unless zero, is the rate at the end of every window, which Rate changes to in a straight line while it is
	// measured; arrivals must be Poisson or Evenly.
	RateTo float64
	// Active, unless zero, is how many of the connections send; the others are idle.
	Active int
	// Churn is how many clients a second close their connections and open them anew, in turn: see churn.go.
	Churn float64

	// InFlight is the most requests in flight on one socket of an open loop; what is due beyond it waits in a backlog.
	// Zero means 1024, or less where there are more than 4,096 connections.
	InFlight int
	// Backlog is the most arrivals that wait at one worker; what is due beyond it is given up, and counted as unsent.
	// Zero means two seconds' worth, within 4,096 and 1,048,576.
	Backlog int
	// Spin is how long before an arrival is due a worker of an open loop stops sleeping and looks at its sockets again and
	// again; as long as the gaps or more, it never sleeps. It takes a processor for itself then. Zero means none: a worker
	// sleeps until the arrival is due, and is late by as much as its processor takes to wake up.
	Spin time.Duration
	// Timeout is how long a request may go without its reply after it was sent; zero means for ever, MaxLatency is the most.
	// Then it counts as timed out, and its reply as none, whenever it comes: see timeout.go.
	Timeout time.Duration
	// Drain is how long after a window outstanding replies are waited for. Zero means 2 s.
	Drain time.Duration
}

// withDefaults returns l with its zero fields filled in. It must be checked first.
func (l Load) withDefaults() Load {
	if l.Clients == 0 {
		l.Clients = l.Connections
	}
	if l.InFlight == 0 {
		l.InFlight = min(1024, max(MaxInFlight/l.Connections, 4))
	}
	if l.Backlog == 0 {
		l.Backlog = int(min(max(2*max(l.Rate, l.RateTo), 4096), 1<<20))
	}
	if l.Drain == 0 {
		l.Drain = 2 * time.Second
	}
	return l
}

func (l Load) check() error {
	if l.Connections < 1 || l.Connections > MaxConnections {
		return fmt.Errorf("load: %d connections; use 1 to %d", l.Connections, MaxConnections)
	}
	if l.First < 0 || l.Clients < 0 || l.First+l.Clients > l.Connections || l.First > 0 && l.Clients == 0 {
		return fmt.Errorf("load: %d clients from number %d on; there are %d", l.Clients, l.First, l.Connections)
	}
	if l.Drain < 0 {
		return fmt.Errorf("load: drain of %v; use more than 0", l.Drain)
	}
	if l.Timeout < 0 || l.Timeout > MaxLatency {
		return fmt.Errorf("load: timeout of %v; use 0 for none, or up to %v", l.Timeout, MaxLatency)
	}
	if l.Spin < 0 || l.Spin > 0 && l.Mode == Closed {
		return fmt.Errorf("load: spinning for %v in a loop that is %v; use 0 or more, and 0 in a closed one", l.Spin, l.Mode)
	}
	if err := l.checkShape(); err != nil {
		return err
	}
	switch l.Mode {
	case Closed:
		if l.Pipeline < 1 || l.Pipeline > MaxPipeline {
			return fmt.Errorf("load: pipeline of %d; use 1 to %d", l.Pipeline, MaxPipeline)
		}
		if n := l.Connections * l.Pipeline; n > MaxInFlight {
			return fmt.Errorf("load: %d connections × pipeline %d = %d in flight; at most %d",
				l.Connections, l.Pipeline, n, MaxInFlight)
		}
	case Open:
		if !(l.Rate > 0) || math.IsInf(l.Rate, 0) {
			return fmt.Errorf("load: rate of %v/s; use more than 0", l.Rate)
		}
		if err := l.Arrival.check(l.Rate); err != nil {
			return err
		}
		if l.InFlight < 0 || l.InFlight > MaxPipeline || l.Backlog < 0 || l.Backlog > MaxInFlight {
			return fmt.Errorf("load: %d in flight, backlog of %d; use at most %d and %d",
				l.InFlight, l.Backlog, MaxPipeline, MaxInFlight)
		}
	default:
		return fmt.Errorf("load: unknown %s; have closed, open", l.Mode)
	}
	return nil
}
