package server

import "testing"

// redcon knows RESP only, and says so to whoever begins with a frame of SCNP.
func TestRedconRefusesSCNP(t *testing.T) {
	s := start(t, Options{Transport: Redcon, Listen: []Listen{{Addr: "127.0.0.1:0", Loop: AnyLoop}}}, &echo{})
	nc := dial(t, s)
	nc.Write([]byte("\xfa\x02\x09\x00\x00\x00\x00\x00"))
	mustRead(t, nc, "\xfb\x02\x02\x00\x24\x00\x00\x00ERR transport redcon knows RESP only")
	mustEnd(t, nc)
}
