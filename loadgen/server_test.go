package loadgen

import (
	"bytes"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/shardlab/shardlab/server/wire"
)

// mapServer is a server of RESP and SCNP on loopback: a map, a goroutine for each connection, and a hook to misbehave with.
type mapServer struct {
	addr string
	ln   net.Listener

	// hook, when set, may answer a GET or SET itself, with any bytes, or block. n counts them from 0.
	hook func(n uint64, args [][]byte) (reply []byte, handled bool)

	requests atomic.Uint64

	mu    sync.Mutex
	data  map[string][]byte
	conns map[net.Conn]bool
	logs  map[string][]byte // what each client port sent
	// shards counts the frames that were sent to a shard.
	shards map[int]int
	done   sync.WaitGroup
}

// newMapServer starts a server that the end of the test stops. The hook cannot be changed later.
func newMapServer(t testing.TB, hook func(n uint64, args [][]byte) ([]byte, bool)) *mapServer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &mapServer{
		addr: ln.Addr().String(), ln: ln, hook: hook,
		data: map[string][]byte{}, conns: map[net.Conn]bool{}, logs: map[string][]byte{},
	}
	s.done.Go(func() { s.acceptFrom(ln) })
	t.Cleanup(s.close)
	return s
}

func (s *mapServer) acceptFrom(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = true
		s.mu.Unlock()
		s.done.Go(func() { s.serve(c) })
	}
}

func (s *mapServer) close() {
	s.ln.Close()
	s.hangUp()
	s.done.Wait()
}

// hangUp closes all connections.
func (s *mapServer) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

func (s *mapServer) serve(c net.Conn) {
	defer c.Close()
	var (
		parser = wire.NewParser(wire.Limits{})
		batch  wire.Batch
		buf    []byte
		log    []byte
	)
	defer func() {
		s.mu.Lock()
		s.logs[c.RemoteAddr().String()] = log
		s.mu.Unlock()
	}()
	for {
		buf = slices.Grow(buf, 64<<10)
		n, err := c.Read(buf[len(buf):cap(buf)])
		if err != nil {
			return
		}
		log = append(log, buf[len(buf):len(buf)+n]...)
		buf = buf[:len(buf)+n]
		for {
			used, err := parser.Parse(&batch, buf)
			if err != nil {
				return
			}
			w := wire.Writer{}
			for _, r := range batch.Reqs {
				w.Begin(&r)
				if r.Form == wire.RESP || r.HashIs(wire.KeyHash(r.Args[1])) {
					s.answer(&w, r.Args)
				} else {
					w.Error(wire.ErrKeyHash)
				}
				w.End()
				if to, ok := r.Route(); ok {
					s.routed(int(to))
				}
			}
			batch.Reset()
			if _, err := c.Write(w.Buf); err != nil {
				return
			}
			if buf = append(buf[:0], buf[used:]...); used == 0 {
				break
			}
		}
	}
}

// routed notes that a frame was sent to a shard.
func (s *mapServer) routed(shard int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shards == nil {
		s.shards = map[int]int{}
	}
	s.shards[shard]++
}

func (s *mapServer) answer(w *wire.Writer, args [][]byte) {
	name := strings.ToUpper(string(args[0]))
	if s.hook != nil && (name == "GET" || name == "SET") {
		if reply, handled := s.hook(s.requests.Add(1)-1, args); handled {
			w.Buf = append(w.Buf, reply...)
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch name {
	case "GET":
		if v, ok := s.data[string(args[1])]; ok {
			w.Bulk(v)
		} else {
			w.Null()
		}
	case "SET":
		s.data[string(args[1])] = bytes.Clone(args[2])
		w.Status("OK")
	case "PSETEX":
		s.data[string(args[1])] = bytes.Clone(args[3])
		w.Status("OK")
	case "MSET":
		for i := 1; i < len(args); i += 2 {
			s.data[string(args[i])] = bytes.Clone(args[i+1])
		}
		w.Status("OK")
	case "MGET":
		w.Array(len(args) - 1)
		for _, key := range args[1:] {
			if v, ok := s.data[string(key)]; ok {
				w.Bulk(v)
			} else {
				w.Null()
			}
		}
	case "DEL", "PEXPIRE", "EXISTS":
		_, ok := s.data[string(args[1])]
		if name == "DEL" {
			delete(s.data, string(args[1]))
		}
		w.Int(map[bool]int64{true: 1}[ok])
	case "INCR", "DECR":
		n, _ := strconv.ParseInt(string(s.data[string(args[1])]), 10, 64)
		n += map[string]int64{"INCR": 1, "DECR": -1}[name]
		s.data[string(args[1])] = strconv.AppendInt(nil, n, 10)
		w.Int(n)
	case "DBSIZE":
		w.Int(int64(len(s.data)))
	case "ECHO":
		w.Bulk(args[1])
	case "PUSH":
		w.Buf = append(w.Buf, ">1\r\n+news\r\n"...)
		w.Status("OK")
	default:
		w.Error("ERR unknown command " + strconv.Quote(name))
	}
}

// streams stops the server and returns what each connection sent.
func (s *mapServer) streams() [][]byte {
	s.close()
	var all [][]byte
	for _, log := range s.logs {
		if len(log) > 0 {
			all = append(all, log)
		}
	}
	return all
}
