package loadgen

import (
	"fmt"
	"math/bits"

	"golang.org/x/sys/unix"

	"github.com/shardlab/shardlab/server/wire"
)

// conn is one socket and the requests on their way through it. It belongs to one worker.
type conn struct {
	fd    int
	id    int // its number in the session, for messages
	index int // its number in the share
	addr  string

	scan wire.ReplyScanner
	rest []byte // the first part of a reply whose end has not arrived

	out        []byte // requests; nil when all are sent
	sent       int    // bytes of out that are
	blocked    bool   // the kernel takes no more until it reports the socket writable
	retiring   bool   // takes nothing new: it is to be replaced, once all is answered
	connecting bool   // it has been
	began      int64  // when that was begun
	touched    bool   // is on the share's list of those to flush

	// Requests without a reply, oldest first: ring[head&mask] to ring[tail&mask-1]. Those from stamped on have been
	// encoded, but not yet offered to the kernel. The counts wrap around.
	ring                []pending
	turns               []uint64 // where operations have steps: which of its client's each in the ring is
	mask                uint32
	head, stamped, tail uint32

	local *inProcess // instead of a socket

	waiting waitingList // of an open loop: arrivals for which there was no room

	replies uint64 // since the connection was made
}

// pending is a request that waits for its reply.
type pending struct {
	due     int64 // open loop: when it was to be sent
	sent    int64 // when its first byte was offered to the kernel, of all steps the first's
	client  uint32
	key     uint32
	op      Op
	step    uint8
	check   bool
	lapsed  bool // it has been counted as timed out
	counted bool // it fell due in the window (open loop), or was sent in it (closed)
}

// sizeRing makes room for n requests.
func (c *conn) sizeRing(n int, steps bool) {
	size := uint32(1) << bits.Len32(uint32(n-1))
	if c.ring, c.mask = make([]pending, size), size-1; steps {
		c.turns = make([]uint64, size)
	}
}

func (c *conn) outstanding() int { return int(c.tail - c.head) }

// hasRoom reports whether another request may be put behind limit others.
func (c *conn) hasRoom(limit int) bool { return !c.blocked && !c.retiring && c.outstanding() < limit }

// push makes room for another request at the end of the ring. The caller fills it.
func (c *conn) push() *pending {
	if c.tail-c.head > c.mask {
		panic("bug: a connection's ring is full")
	}
	p := &c.ring[c.tail&c.mask]
	c.tail++
	return p
}

// fail says which connection failed, and when.
func (c *conn) fail(err error) error {
	return fmt.Errorf("load %s: connection %d: %w after %d operations", c.addr, c.id, err, c.replies)
}

func (c *conn) close() {
	if c.local != nil {
		c.local.exec.Close()
		c.local = nil
	}
	if c.fd >= 0 {
		unix.Close(c.fd)
		c.fd = -1
	}
}
