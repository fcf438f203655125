package topologies

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

// overHTTP puts, gets and deletes keys of its own, and breaks off now and then.
func (s *soaker) overHTTP(id string, rng *rand.Rand) {
	for generation := 0; !s.over(); generation++ {
		nc := s.dial(s.in.HTTPAddr())
		if nc == nil {
			return
		}
		keys, r := soakKeys{}, bufio.NewReader(nc)
		for n := range rng.IntN(200) {
			key := fmt.Sprintf("v%s.%d:%d", id, generation, rng.IntN(100))
			k := keys.at(key)
			method, value := "GET", ""
			switch rng.IntN(4) {
			case 0, 1:
				method, value = "PUT", soakValue(key, n, rng.IntN(5000))
			case 2:
				method = "DELETE"
			}
			fmt.Fprintf(nc, "%s /v1/keys/%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", method, key, len(value), value)
			code, body, err := response(r, method)
			problem := ""
			switch {
			case err != nil:
				problem = err.Error()
			case method == "PUT" && (code == 201 || code == 204):
				*k = soakKey{value: value}
			case method == "DELETE" && (code == 404 || code == 204 && k.value != ""):
				*k = soakKey{}
			case method == "GET" && (code == 200 || code == 404):
				problem = k.saw(body, code == 200, 0)
			default:
				problem = fmt.Sprintf("status %d, %.100q", code, body)
			}
			if problem != "" {
				s.t.Errorf("HTTP %s %s: %s", method, key, problem)
				nc.Close()
				return
			}
		}
		io.WriteString(nc, "PUT /v1/keys/x HTTP/1.1\r\nContent-Length: 5"[:rng.IntN(40)])
		nc.Close()
	}
}

func response(r *bufio.Reader, method string) (code int, body string, err error) {
	resp, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		return 0, "", err
	}
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// churn connects, says a little, tells the killer who it is, and is gone.
func (s *soaker) churn(_ string, rng *rand.Rand) {
	for !s.over() {
		dialed := s.dialRESP(rng)
		if dialed == nil {
			return
		}
		c := dialed.(*respConn)
		r, err := c.exec([][]string{{"CLIENT", "ID"}})
		if err != nil {
			s.t.Errorf("CLIENT ID: %v", err)
			c.Close()
			return
		}
		select {
		case s.ids <- r[0].Int:
		default:
		}
		for range rng.IntN(5) {
			if _, err := c.exec([][]string{{"PING"}, {"MULTI"}, {"SET", "churn", "x"}, {"DISCARD"}, {"WATCH", "churn"}}); err != nil {
				break // killed
			}
		}
		if rng.IntN(3) == 0 {
			c.nc.SetLinger(0)
		}
		c.Close()
	}
}

// kill ends connections of the churning ones, from a session without a connection.
func (s *soaker) kill(string, *rand.Rand) {
	c := s.in.NewCaller()
	defer c.Close()
	for !s.over() {
		select {
		case id := <-s.ids:
			if _, err := c.Do([]byte("CLIENT"), []byte("KILL"), []byte("ID"), strconv.AppendInt(nil, id, 10)); err != nil {
				s.t.Errorf("CLIENT KILL: %v", err)
				return
			}
		case <-time.After(time.Until(s.deadline)):
		}
	}
}

// neverRead asks for more than any buffer holds and takes none of it.
func (s *soaker) neverRead(id string, rng *rand.Rand) {
	big := strings.Repeat("B", 16<<10)
	out := wire.AppendCommand(nil, "SET", "big"+id, big)
	for range 100 {
		out = wire.AppendCommand(out, "GET", "big"+id)
	}
	for !s.over() {
		nc := s.dial(s.in.Addr())
		if nc == nil {
			return
		}
		nc.SetReadBuffer(4096)
		nc.SetDeadline(time.Now().Add(min(time.Until(s.deadline), time.Duration(rng.IntN(500))*time.Millisecond)))
		for {
			if _, err := nc.Write(out); err != nil {
				break
			}
		}
		if rng.IntN(2) == 0 {
			nc.SetLinger(0)
		}
		nc.Close()
	}
}

// garbage sends what is no request, or only the beginning of one, and then no more. It wants an answer or a close.
func (s *soaker) garbage(_ string, rng *rand.Rand) {
	beginnings := []string{"", "*", "*1\r\n$", "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$99999999999999\r\n", "*2\r\n$3\r\nGET\r\n$-5\r\n", "\xfa\x02", "\xfa\xff\x00",
		"*1000000\r\n", "GET / HTTP/1.1\r\n", "\"", "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\nxxxx"}
	noise := make([]byte, 4096)
	for !s.over() {
		addr := s.in.Addr()
		if rng.IntN(4) == 0 {
			addr = s.in.HTTPAddr()
		}
		nc := s.dial(addr)
		if nc == nil {
			return
		}
		for i := range noise {
			noise[i] = byte(rng.Uint32())
		}
		io.WriteString(nc, beginnings[rng.IntN(len(beginnings))])
		nc.Write(noise[:rng.IntN(len(noise))])
		nc.CloseWrite()
		if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
			s.t.Error("garbage was neither answered nor its connection closed")
		}
		nc.Close()
	}
}

// scrape reads the metrics without pause.
func (s *soaker) scrape(string, *rand.Rand) {
	nc := s.dial(s.in.AdminAddr())
	if nc == nil {
		return
	}
	defer nc.Close()
	r := bufio.NewReader(nc)
	for !s.over() {
		io.WriteString(nc, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
		code, page, err := response(r, "GET")
		if err != nil || code != 200 || !strings.Contains(page, "shardlab_shard_entries{") {
			s.t.Errorf("metrics: %d, %v, %.200q", code, err, page)
			return
		}
	}
}
