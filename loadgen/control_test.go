package loadgen

import (
	"context"
	"strings"
	"testing"

	"github.com/shardlab/shardlab/server/wire"
)

func TestControl(t *testing.T) {
	server := newMapServer(t, nil)
	c := NewControl(server.addr, RESP)
	defer c.Close()
	long := strings.Repeat("x", 200_000)
	for range 2 {
		if r, err := c.Do(t.Context(), "ECHO", long); err != nil || string(r.Payload) != long {
			t.Errorf("ECHO: %d bytes, %v", len(r.Payload), err)
		}
	}
	if r, err := c.Do(t.Context(), "PUSH"); err != nil || string(r.Payload) != "OK" {
		t.Errorf("a reply behind a push message: %v, %v", r, err)
	}
	r, err := c.Do(t.Context(), "NOPE")
	if want := "NOPE " + server.addr + `: ERR unknown command "NOPE"`; err == nil || err.Error() != want ||
		r.Kind != wire.ErrorReply {
		t.Errorf("%v, %v; want %s", r.Kind, err, want)
	}
	if _, err := c.Do(t.Context()); err == nil {
		t.Error("no command is a command")
	}
	server.hangUp()
	if _, err := c.Do(t.Context(), "ECHO", "a"); err == nil {
		t.Error("a closed connection answers")
	}
	if r, err := c.Do(t.Context(), "ECHO", "b"); err != nil || string(r.Payload) != "b" {
		t.Errorf("after a failure: %q, %v; want a new connection", r.Payload, err)
	}
}

func TestControlIsCancelled(t *testing.T) {
	frozen := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	server := newMapServer(t, func(uint64, [][]byte) ([]byte, bool) {
		cancel()
		<-frozen
		return nil, false
	})
	defer close(frozen)
	c := NewControl(server.addr, RESP)
	defer c.Close()
	if _, err := c.Do(ctx, "GET", "a"); err == nil || !strings.HasSuffix(err.Error(), "context canceled") {
		t.Errorf("error %v, want that of the context", err)
	}
}
