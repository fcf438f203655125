package scnp

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

// chunkSize is how many bytes of requests a pipeline sends before it reads their replies. The sockets' buffers hold that
// much: a server that waits for us to read its replies does not make us wait for it to read our requests. One request
// may be longer, and then goes alone.
const chunkSize = 32 << 10

// Pipeline gathers commands and sends them together. With direct ports each goes to the shard of its key, so commands of
// different shards may take effect in another order than they were given. A Pipeline belongs to one goroutine. It may
// be used again after Exec.
type Pipeline struct {
	c     *Client
	err   error
	lanes []lane // by shard, the public address last
	order []int  // by command: its lane
}

// lane is the part of a pipeline that goes to one address.
type lane struct {
	pool *pool
	out  []byte
	ends []int // of each request in out

	cn         *conn
	sent, read int // requests
	replies    []wire.Reply
}

// Pipeline returns an empty pipeline.
func (c *Client) Pipeline() *Pipeline {
	p := &Pipeline{c: c, lanes: make([]lane, len(c.shards)+1)}
	for i, s := range c.shards {
		p.lanes[i].pool = s
	}
	p.lanes[len(c.shards)].pool = c.public
	return p
}

// to finds the lane of a key and how a frame is addressed to it. The request is to be appended to lane.out.
func (p *Pipeline) to(key []byte) (*lane, wire.Address) {
	i, a := len(p.lanes)-1, wire.ToServer(key)
	if i > 0 {
		a = wire.ToShard(key, i)
		i = a.Shard()
	}
	p.order = append(p.order, i)
	return &p.lanes[i], a
}

func (l *lane) add(out []byte) {
	l.out = out
	l.ends = append(l.ends, len(out))
}

// Get adds a GET.
func (p *Pipeline) Get(key []byte) {
	l, a := p.to(key)
	l.add(wire.AppendKeyFrame(l.out, wire.OpGet, a, key))
}

// Set adds a SET.
func (p *Pipeline) Set(key, value []byte) {
	l, a := p.to(key)
	l.add(wire.AppendSetFrame(l.out, a, key, value))
}

// SetTTL adds a SET with a time to live, which makes Exec fail when it is less than a millisecond.
func (p *Pipeline) SetTTL(key, value []byte, ttl time.Duration) {
	ms, err := milliseconds("SETEX", ttl)
	if err != nil {
		p.err = err
		return
	}
	l, a := p.to(key)
	l.add(wire.AppendSetEXFrame(l.out, a, key, value, ms))
}

// Del adds a DEL of one key.
func (p *Pipeline) Del(key []byte) {
	l, a := p.to(key)
	l.add(wire.AppendKeyFrame(l.out, wire.OpDel, a, key))
}

// Exec sends what has been added and returns the replies in the same order; an error reply is one of them. It leaves the
// pipeline empty.
func (p *Pipeline) Exec(ctx context.Context) (replies []wire.Reply, err error) {
	defer p.reset()
	if p.err != nil {
		return nil, p.err
	}
	for i := range p.lanes {
		if l := &p.lanes[i]; len(l.ends) > 0 && err == nil {
			l.cn, err = l.pool.take(ctx)
		}
	}
	for left := err == nil; left && err == nil; {
		left, err = p.round(ctx)
	}
	for i := range p.lanes {
		if l := &p.lanes[i]; l.cn != nil {
			if err != nil {
				l.cn.nc.Close()
			} else {
				l.pool.put(l.cn)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	replies = make([]wire.Reply, len(p.order))
	for i, lane := range p.order {
		l := &p.lanes[lane]
		replies[i], l.replies = l.replies[0], l.replies[1:]
	}
	return replies, nil
}

// round sends a chunk on each lane and then reads the replies. It reports whether there is more.
func (p *Pipeline) round(ctx context.Context) (more bool, err error) {
	for i := range p.lanes {
		l := &p.lanes[i]
		if l.sent == len(l.ends) {
			continue
		}
		defer l.cn.during(ctx)()
		if err := l.send(); err != nil {
			return false, fmt.Errorf("pipeline %s: %w", l.pool.addr, because(ctx, err))
		}
	}
	for i := range p.lanes {
		l := &p.lanes[i]
		for ; l.read < l.sent; l.read++ {
			r, err := l.cn.next()
			if err != nil {
				return false, fmt.Errorf("pipeline %s: %w after %d replies", l.pool.addr, because(ctx, err), l.read)
			}
			r.Payload = slices.Clone(r.Payload)
			l.replies = append(l.replies, r)
		}
		more = more || l.sent < len(l.ends)
	}
	return more, nil
}

// send writes the next requests, at most chunkSize bytes unless one alone is longer.
func (l *lane) send() error {
	from := 0
	if l.sent > 0 {
		from = l.ends[l.sent-1]
	}
	for l.sent++; l.sent < len(l.ends) && l.ends[l.sent]-from <= chunkSize; {
		l.sent++
	}
	_, err := l.cn.nc.Write(l.out[from:l.ends[l.sent-1]])
	return err
}

func (p *Pipeline) reset() {
	p.err, p.order = nil, p.order[:0]
	for i := range p.lanes {
		l := &p.lanes[i]
		*l = lane{pool: l.pool, out: l.out[:0], ends: l.ends[:0]}
		if cap(l.out) > keptSize {
			l.out = nil
		}
	}
}
