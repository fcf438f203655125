package server

import (
	"time"

	"golang.org/x/sys/unix"
)

// sweepTicks is in how many ticks every connection is looked at once for having been silent too long.
const sweepTicks = 10

// patience is what is known of how long a connection's client has done nothing, in ticks: no clock and no timer is needed for
// it. The thread that sweeps has it.
type patience struct {
	queued int // bytes that were in the kernel's send queue when we last looked
}

// verdict is why a connection is to be closed.
type verdict string

const (
	tooIdle verdict = "idle for too long"
	tooSlow verdict = "does not read its replies"
)

// judge decides about a connection that has not been seen active for the given time. waiting is how many bytes of replies
// the kernel has not taken for want of room. It reports progress when the client has read some of what the kernel has,
// which we are told of only when a third of the queue is free.
func (p *patience) judge(s *Server, fd, waiting int, silent time.Duration) (why verdict, progress bool) {
	if waiting > 0 {
		n, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
		if err == nil && n != p.queued {
			p.queued = n
			return "", true
		}
		if limit := s.opts.WriteTimeout; limit > 0 && silent >= limit && waiting+n > s.opts.MaxOutput {
			return tooSlow, false
		}
	}
	if limit := s.IdleTimeout(); limit > 0 && silent >= limit {
		return tooIdle, false
	}
	return "", false
}

// sweep looks at a part of the loop's connections.
func (l *loop) sweep() {
	for range len(l.conns)/sweepTicks + 1 {
		if l.swept >= len(l.conns) {
			l.swept = 0
		}
		if len(l.conns) == 0 {
			return
		}
		if c := l.conns[l.swept]; c != nil && !c.executing {
			c.judge()
		}
		l.swept++
	}
}

func (c *conn) judge() {
	waiting := 0
	if c.blocked {
		waiting = len(c.batch.Out) - c.sent
	}
	silent := time.Duration(c.loop.ticks-c.active) * c.loop.s.opts.TickEvery
	why, progress := c.patience.judge(c.loop.s, c.fd, waiting, silent)
	if progress {
		c.active = c.loop.ticks
	}
	if why != "" {
		c.loop.s.cut(c.id, c, why, waiting)
		c.close()
	}
}

// cut says that a connection is closed before its client wished it.
func (s *Server) cut(id int64, c Conn, why verdict, waiting int) {
	s.opts.Log.Info("connection closed", "id", id, "client", c.Remote(), "reason", string(why), "waiting", waiting)
}

// ended says, to whoever asks for so much, that a connection has ended for what its client did.
func (s *Server) ended(id int64, c Conn, err error) {
	s.opts.Log.Debug("connection closed", "id", id, "client", c.Remote(), "reason", err)
}
