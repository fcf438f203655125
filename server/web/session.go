package web

import (
	"fmt"
	"math"
	"sync"

	"github.com/shardlab/shardlab/server/wire"
)

// session executes the commands of one HTTP request at a time. It is used by one goroutine at a time.
type session struct {
	caller  Caller
	b       wire.Batch
	args    [32][]byte // of the requests of b
	used    int
	replies [8]wire.Reply
	key     []byte // scratch
	num     []byte
	broken  bool // it may have a transaction open: not to be used again
}

// begin forgets the requests before.
func (s *session) begin() {
	s.b.Reset()
	s.used = 0
}

// add appends a command. The arguments must stay as they are until exec has returned.
func (s *session) add(args ...[]byte) {
	first := s.used
	s.used += copy(s.args[first:], args)
	s.b.Reqs = append(s.b.Reqs, wire.Request{Args: s.args[first:s.used:s.used]})
}

// exec executes the commands as one batch. Their replies alias the session's memory until the next begin.
func (s *session) exec() ([]wire.Reply, error) {
	if err := s.caller.Exec(&s.b); err != nil {
		s.broken = true
		return nil, err
	}
	scan := wire.NewReplyScanner(anyReply)
	out := s.b.Out
	for i := range s.b.Reqs {
		r, n, err := scan.Next(out)
		if err == nil && n == 0 {
			err = fmt.Errorf("%d replies to %d commands", i, len(s.b.Reqs))
		}
		if err != nil {
			s.broken = true
			return nil, err
		}
		s.replies[i], out = r, out[n:]
	}
	return s.replies[:len(s.b.Reqs)], nil
}

// anyReply because replies that are there already claim no memory.
var anyReply = wire.ReplyLimits{MaxBulk: math.MaxInt, MaxLine: math.MaxInt >> 1, MaxElements: math.MaxInt, MaxReply: math.MaxInt}

// sessions are those that no request uses at the moment; there are as many as there were requests at once.
type sessions struct {
	open func() Caller

	mu     sync.Mutex
	idle   []*session
	closed bool
}

func (ss *sessions) take() *session {
	ss.mu.Lock()
	if n := len(ss.idle); n > 0 {
		s := ss.idle[n-1]
		ss.idle = ss.idle[:n-1]
		ss.mu.Unlock()
		return s
	}
	ss.mu.Unlock()
	return &session{caller: ss.open()}
}

func (ss *sessions) put(s *session) {
	clear(s.args[:s.used])
	s.begin() // gives back the memory of a large reply
	ss.mu.Lock()
	keep := !s.broken && !ss.closed
	if keep {
		ss.idle = append(ss.idle, s)
	}
	ss.mu.Unlock()
	if !keep {
		s.caller.Close()
	}
}

func (ss *sessions) close() {
	ss.mu.Lock()
	idle := ss.idle
	ss.idle, ss.closed = nil, true
	ss.mu.Unlock()
	for _, s := range idle {
		s.caller.Close()
	}
}
