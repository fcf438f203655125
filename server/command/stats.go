package command

import (
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/cpu"
)

// maxSpecs is the most commands and subcommands that Stats has places for.
const maxSpecs = 160

// stripes is how many places each count of calls has, so that event loops do not share one.
const stripes = 8

// Stats counts calls and errors by command. Sessions add what they counted in a batch; the rest is rare.
type Stats struct {
	calls    [stripes]callCounts
	rejected [maxSpecs]atomic.Uint64
	failed   [maxSpecs]atomic.Uint64
	errors   [len(errorCodes)]atomic.Uint64
}

type callCounts struct {
	by [maxSpecs]atomic.Uint64
	_  cpu.CacheLinePad
}

// errorCodes are the words that error replies begin with.
var errorCodes = [...]string{"ERR", "CROSSSLOT", "EXECABORT", "NOAUTH", "NOPROTO", "OOM", "WRONGPASS"}

// Reset starts all counts at 0.
func (s *Stats) Reset() {
	zero := func(counts []atomic.Uint64) {
		for i := range counts {
			counts[i].Store(0)
		}
	}
	for i := range s.calls {
		zero(s.calls[i].by[:])
	}
	zero(s.rejected[:])
	zero(s.failed[:])
	zero(s.errors[:])
}

// Calls calls visit with every command and subcommand that was called or refused.
func (s *Stats) Calls(visit func(cmd *Spec, calls, rejected, failed uint64)) {
	for _, cmd := range specs[1:] {
		var calls uint64
		for i := range s.calls {
			calls += s.calls[i].by[cmd.index].Load()
		}
		rejected, failed := s.rejected[cmd.index].Load(), s.failed[cmd.index].Load()
		if calls|rejected|failed != 0 {
			visit(cmd, calls, rejected, failed)
		}
	}
}

// Errors calls visit with every code that error replies began with, and returns how many there were.
func (s *Stats) Errors(visit func(code string, n uint64)) (total uint64) {
	for i, code := range errorCodes {
		if n := s.errors[i].Load(); n != 0 {
			total += n
			visit(code, n)
		}
	}
	return total
}

func (s *Stats) error(text string, running uint16) {
	code, _, _ := strings.Cut(text, " ")
	if i := slices.Index(errorCodes[:], code); i >= 0 {
		s.errors[i].Add(1)
	}
	if running != 0 {
		s.failed[running].Add(1)
	}
}

// calls are what a session counts in a batch: a few commands, without their pointers, which the collector would want to know of.
type calls struct {
	few [4]struct {
		index uint16 // of the command; 0: free
		n     uint32
	}
}

// call counts a call of a command, and remembers that it runs.
func (x *Exec) call(cmd *Spec) {
	x.running = cmd.index
	for i := range x.calls.few {
		switch c := &x.calls.few[i]; c.index {
		case 0:
			c.index = cmd.index
			fallthrough
		case cmd.index:
			c.n++
			return
		}
	}
	x.tellCalls()
	x.call(cmd)
}

// tellCalls adds the counts to the server's.
func (x *Exec) tellCalls() {
	by := &x.Host.Stats().calls[x.Stripe%stripes].by
	for i := range x.calls.few {
		if c := &x.calls.few[i]; c.n != 0 {
			by[c.index].Add(uint64(c.n))
		}
	}
	x.calls = calls{}
}

// EndBatch tells others what the batch counted, and that the client was active at a time in Unix seconds.
func (x *Exec) EndBatch(second int64) {
	x.tellCalls()
	x.Client.Active(second, specs[x.running])
}
