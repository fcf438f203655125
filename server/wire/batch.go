package wire

import "strconv"

// MaxBatch is the most requests that one Batch holds. It bounds the memory that a client can claim by pipelining tiny
// requests: a read of 64 KiB could hold 13,000 inline PINGs.
const MaxBatch = 1024

// SoftOut is how many bytes of replies a Batch gathers before whoever executes it should stop and let them be written.
// One reply may go far beyond it: an MGET is as long as all its values, as in Redis.
const SoftOut = 256 << 10

// Request is one command with its arguments, the name first, whatever protocol it came in. It aliases the buffer it was
// parsed from.
type Request struct {
	Args [][]byte
	Frame
}

// Batch is the unit of work: the complete requests of one read with the replies to them. A transport fills it through
// Parse, hands it to a session, writes Out and resets it. One goroutine at a time owns a Batch.
type Batch struct {
	Reqs  []Request
	Next  int    // first request that is not yet answered in Out
	Out   []byte // replies so far, in the order of the requests
	Close bool   // close the connection once Out is written

	// OnDone is set by the transport. A session that returned false from Exec calls it once, from any goroutine, when
	// Exec can go on. The argument is the event loop on whose thread it is called, -1 for any other goroutine.
	OnDone func(loop int)

	args  [][]byte // backing store of Reqs[i].Args
	words []byte   // numbers of typed SCNP frames as text, which arguments alias
	large bool     // requests came from a buffer that nobody keeps: stale pointers would keep it
}

// Reset empties b for the next read and keeps its memory.
func (b *Batch) Reset() {
	if cap(b.Out) > 4*SoftOut { // one huge reply must not stay with a pooled batch for ever
		b.Out = nil
	}
	if cap(b.args) > 64*MaxBatch {
		b.args = nil
	}
	if b.large {
		clear(b.args[:cap(b.args)])
		clear(b.Reqs[:cap(b.Reqs)])
	}
	b.Reqs, b.args, b.words, b.Out = b.Reqs[:0], b.args[:0], b.words[:0], b.Out[:0]
	b.Next, b.Close, b.large = 0, false, false
}

// Executed reports whether every request is answered. After Close no further request is.
func (b *Batch) Executed() bool { return b.Next == len(b.Reqs) || b.Close }

// ShouldFlush reports whether enough replies have gathered that they should be written before more are made.
func (b *Batch) ShouldFlush() bool { return len(b.Out) >= SoftOut }

// largeInput is the size from which on a batch clears what it knew of its input. Clearing after every batch would cost 50 ns
// at a pipeline of 64.
const largeInput = 64<<10 + 1

func (b *Batch) full() bool { return len(b.Reqs) == MaxBatch }

func (b *Batch) add(buf []byte, spans []span) {
	first := len(b.args)
	for _, s := range spans {
		b.args = append(b.args, buf[s.off:s.off+s.len:s.off+s.len])
	}
	b.addFrom(first)
}

// addFrom appends a request of the arguments that were appended to b.args from first on. Growing args leaves earlier
// requests on the old array: still the right bytes, and garbage after this batch.
func (b *Batch) addFrom(first int) *Request {
	b.Reqs = append(b.Reqs, Request{Args: b.args[first:len(b.args):len(b.args)]})
	return &b.Reqs[len(b.Reqs)-1]
}

func (b *Batch) addArgs(args [][]byte) { b.Reqs = append(b.Reqs, Request{Args: args}) }

// number returns n as text. Growing words leaves earlier numbers on the old array, as with args.
func (b *Batch) number(n uint64) []byte {
	first := len(b.words)
	b.words = strconv.AppendUint(b.words, n, 10)
	return b.words[first:len(b.words):len(b.words)]
}
