// Package scnp is a client for servers that speak SCNP version 2.
//
// A [Client] keeps connections to a server's public address and, when it is given them, to the ports of its shards: then
// a command of one key goes straight to the shard that owns the key. Calls block; each has a connection to itself, taken
// from a pool, so a Client may be used from any goroutine. A [Pipeline] sends many commands before it reads the first
// reply. Keys and values are copied neither on the way out nor kept; what is returned belongs to the caller.
package scnp

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

// Options of a Client. The zero value is good.
type Options struct {
	// ShardAddrs are the host:ports of the direct shard ports, by shard. Their number must be the server's number of shards.
	ShardAddrs []string
	// MaxIdle is how many unused connections to each address are kept; default 8.
	MaxIdle int
	// DialTimeout bounds connecting; default 5 s.
	DialTimeout time.Duration
	// Timeout bounds each exchange of a call whose context has no earlier deadline; 0: none.
	Timeout time.Duration
	// Replies bounds what a server can make the client hold.
	Replies wire.ReplyLimits
}

// Error is an error reply of the server.
type Error string

func (e Error) Error() string { return string(e) }

// Client is a server. Its methods may be called from any goroutine.
type Client struct {
	opts   Options
	public *pool
	shards []*pool // by shard; nil without direct ports
}

// Dial connects to a server's public address, host:port.
func Dial(ctx context.Context, addr string, opts Options) (*Client, error) {
	if n := len(opts.ShardAddrs); bits.OnesCount(uint(n)) > 1 {
		return nil, fmt.Errorf("scnp %s: %d shard addresses; the number of shards is a power of two", addr, n)
	}
	if opts.MaxIdle == 0 {
		opts.MaxIdle = 8
	}
	if opts.DialTimeout == 0 {
		opts.DialTimeout = 5 * time.Second
	}
	c := &Client{opts: opts}
	c.public = &pool{addr: addr, opts: &c.opts}
	for _, a := range opts.ShardAddrs {
		c.shards = append(c.shards, &pool{addr: a, opts: &c.opts})
	}
	cn, err := c.public.take(ctx)
	if err != nil {
		return nil, err
	}
	c.public.put(cn)
	return c, nil
}

// Close closes the connections that are not in use, and the others when they come back.
func (c *Client) Close() error {
	c.public.close()
	for _, p := range c.shards {
		p.close()
	}
	return nil
}

// to finds the pool that serves a key, and how a frame is addressed to it.
func (c *Client) to(key []byte) (*pool, wire.Address) {
	if len(c.shards) == 0 {
		return c.public, wire.ToServer(key)
	}
	a := wire.ToShard(key, len(c.shards))
	return c.shards[a.Shard()], a
}

// Get returns a key's value. ok is false when there is none.
func (c *Client) Get(ctx context.Context, key []byte) (value []byte, ok bool, err error) {
	return c.AppendGet(ctx, nil, key)
}

// AppendGet is Get for a caller with memory: it appends the value to dst.
func (c *Client) AppendGet(ctx context.Context, dst, key []byte) (value []byte, ok bool, err error) {
	p, a := c.to(key)
	cn, err := p.take(ctx)
	if err != nil {
		return dst, false, err
	}
	cn.out = wire.AppendKeyFrame(cn.out, wire.OpGet, a, key)
	r, err := cn.exchange(ctx)
	if r.Kind == wire.BulkReply {
		dst, ok = append(dst, r.Payload...), true
	}
	err = p.done(cn, "GET", r, err, wire.BulkReply, wire.NullReply)
	return dst, ok && err == nil, err
}

// Set sets a key's value, without a time to live.
func (c *Client) Set(ctx context.Context, key, value []byte) error {
	p, a := c.to(key)
	cn, err := p.take(ctx)
	if err != nil {
		return err
	}
	cn.out = wire.AppendSetFrame(cn.out, a, key, value)
	r, err := cn.exchange(ctx)
	return p.done(cn, "SET", r, err, wire.SimpleReply)
}

// SetTTL sets a key's value for as long as ttl, which counts in whole milliseconds.
func (c *Client) SetTTL(ctx context.Context, key, value []byte, ttl time.Duration) error {
	ms, err := milliseconds("SETEX", ttl)
	if err != nil {
		return err
	}
	p, a := c.to(key)
	cn, err := p.take(ctx)
	if err != nil {
		return err
	}
	cn.out = wire.AppendSetEXFrame(cn.out, a, key, value, ms)
	r, err := cn.exchange(ctx)
	return p.done(cn, "SETEX", r, err, wire.SimpleReply)
}

// Del deletes a key and reports whether it was there.
func (c *Client) Del(ctx context.Context, key []byte) (bool, error) {
	n, err := c.integer(ctx, "DEL", wire.OpDel, key)
	return n == 1, err
}

// Exists reports whether a key is there.
func (c *Client) Exists(ctx context.Context, key []byte) (bool, error) {
	n, err := c.integer(ctx, "EXISTS", wire.OpExists, key)
	return n == 1, err
}

// TTL returns how long a key has to live, in seconds: -1 when for ever, -2 when there is none.
func (c *Client) TTL(ctx context.Context, key []byte) (int64, error) {
	return c.integer(ctx, "TTL", wire.OpTTL, key)
}

// Expire gives a key ttl to live, in whole milliseconds, and reports whether the key was there.
func (c *Client) Expire(ctx context.Context, key []byte, ttl time.Duration) (bool, error) {
	ms, err := milliseconds("EXPIRE", ttl)
	if err != nil {
		return false, err
	}
	p, a := c.to(key)
	cn, err := p.take(ctx)
	if err != nil {
		return false, err
	}
	cn.out = wire.AppendTTLFrame(cn.out, wire.OpExpire, a, key, ms)
	r, err := cn.exchange(ctx)
	return r.Int == 1, p.done(cn, "EXPIRE", r, err, wire.IntReply)
}

func (c *Client) integer(ctx context.Context, name string, op wire.Opcode, key []byte) (int64, error) {
	p, a := c.to(key)
	cn, err := p.take(ctx)
	if err != nil {
		return 0, err
	}
	cn.out = wire.AppendKeyFrame(cn.out, op, a, key)
	r, err := cn.exchange(ctx)
	return r.Int, p.done(cn, name, r, err, wire.IntReply)
}

// MGet returns the values of keys, nil for those that are not there. It goes to the public address.
func (c *Client) MGet(ctx context.Context, keys ...[]byte) ([][]byte, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	cn, err := c.public.take(ctx)
	if err != nil {
		return nil, err
	}
	cn.out = wire.AppendMGetFrame(cn.out, wire.ToServer(keys[0]), keys...)
	r, err := cn.exchange(ctx)
	values := make([][]byte, 0, len(keys))
	elements, _ := r.Elements()
	for _, e := range elements {
		var v []byte
		if e.Kind == wire.BulkReply {
			v = append([]byte{}, e.Payload...)
		}
		values = append(values, v)
	}
	if err = c.public.done(cn, "MGET", r, err, wire.ArrayReply); err != nil {
		return nil, err
	}
	if len(values) != len(keys) {
		return nil, fmt.Errorf("MGET %s: %d values for %d keys", c.public.addr, len(values), len(keys))
	}
	return values, nil
}

// MSet sets keys, each with its value behind it. It goes to the public address.
func (c *Client) MSet(ctx context.Context, keysAndValues ...[]byte) error {
	if len(keysAndValues)%2 != 0 {
		return fmt.Errorf("MSET %s: a key without a value", c.public.addr)
	}
	if len(keysAndValues) == 0 {
		return nil
	}
	cn, err := c.public.take(ctx)
	if err != nil {
		return err
	}
	cn.out = wire.AppendMSetFrame(cn.out, wire.ToServer(keysAndValues[0]), keysAndValues...)
	r, err := cn.exchange(ctx)
	return c.public.done(cn, "MSET", r, err, wire.SimpleReply)
}

// Do sends any command, its name first, to the public address, and returns the reply as RESP gives it. An error reply is
// returned as an [Error].
func (c *Client) Do(ctx context.Context, args ...string) (wire.Reply, error) {
	if len(args) == 0 {
		return wire.Reply{}, errors.New("scnp: no command")
	}
	words := make([][]byte, len(args))
	for i, a := range args {
		words[i] = []byte(a)
	}
	cn, err := c.public.take(ctx)
	if err != nil {
		return wire.Reply{}, err
	}
	cn.out = wire.AppendRESPFrame(cn.out, wire.Address{}, words...)
	r, err := cn.exchange(ctx)
	inner := append([]byte{}, r.Payload...)
	if err = c.public.done(cn, args[0], r, err, wire.BulkReply); err != nil {
		return wire.Reply{}, err
	}
	scan := wire.NewReplyScanner(c.opts.Replies)
	r, n, err := scan.Next(inner)
	switch {
	case err != nil:
		return wire.Reply{}, fmt.Errorf("%s %s: %w", args[0], c.public.addr, err)
	case n != len(inner) || n == 0:
		return wire.Reply{}, fmt.Errorf("%s %s: %d bytes hold one reply of %d", args[0], c.public.addr, len(inner), n)
	case r.Kind == wire.ErrorReply:
		return r, Error(r.Payload)
	}
	return r, nil
}

func milliseconds(name string, ttl time.Duration) (uint64, error) {
	if ttl < time.Millisecond {
		return 0, fmt.Errorf("%s: time to live %v; use 1ms or more", name, ttl)
	}
	return uint64(ttl.Milliseconds()), nil
}
