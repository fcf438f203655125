package loadgen

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// stepsWorkload has both kinds of operations of several steps, beside one that has none.
func stepsWorkload() Workload {
	w := testWorkload
	w.Mix = []OpShare{{Get, 1}, {ReadModifyWrite, 2}}
	return w
}

// TestReadModifyWrite in every protocol and both loops: a SET follows its GET over the same connection once that is answered, both are
// one operation, and the totals reconcile.
func TestReadModifyWrite(t *testing.T) {
	for _, protocol := range []Protocol{RESP, SCNP, Memcached, HTTP} {
		for _, load := range []Load{{Connections: 3, Pipeline: 4}, {Mode: Open, Connections: 4, Rate: 4000}} {
			target := Target{Protocol: protocol}
			switch protocol {
			case Memcached:
				target.Addr = startMemcached(t)
			case HTTP:
				target.Addr = webServer(t, false)
				if load.Mode == Closed {
					load.Pipeline = 1
				}
			default:
				target.Addr = newMapServer(t, nil).addr
			}
			s := connect(t, newTestPool(t, 2), target, stepsWorkload(), load)
			if err := s.Preload(t.Context()); err != nil {
				t.Fatal(err)
			}
			r := runFor(t, 150, s, Window{Measure: 60 * time.Millisecond})
			name := fmt.Sprintf("%v, %v", protocol, load.Mode)
			if r.Errors+r.Corrupt+r.Misses+r.InFlight > 0 || r.Ops[ReadModifyWrite] == 0 || r.Ops[Set] > 0 || r.Checked == 0 {
				t.Errorf("%s: %v, %d errors (%s), %d corrupt, %d misses, %d in flight, %d checked", name, r.Ops, r.Errors, r.FirstError,
					r.Corrupt, r.Misses, r.InFlight, r.Checked)
			}
			if r.Reads != r.Ops[Get]+r.Ops[ReadModifyWrite] || r.Sent != r.Total() {
				t.Errorf("%s: %d reads, %d sent, of %v", name, r.Reads, r.Sent, r.Ops)
			}
			if h := r.Service[ReadModifyWrite]; uint64(h.TotalCount()) != r.Ops[ReadModifyWrite] {
				t.Errorf("%s: %d in the histogram, %d done", name, h.TotalCount(), r.Ops[ReadModifyWrite])
			}
		}
	}
}

// TestStepsWaitForEachOther: the server sees the second step of an operation only after it has answered the first, and the operation takes
// as long as both.
func TestStepsWaitForEachOther(t *testing.T) {
	const delay = 2 * time.Millisecond
	server := newMapServer(t, func(n uint64, args [][]byte) ([]byte, bool) {
		time.Sleep(delay)
		return nil, false
	})
	w := stepsWorkload()
	w.Keys, w.Mix, w.Templates = 10, []OpShare{{FirstTemplate, 1}}, []string{"GET {key}; ECHO {key}; SET {key} {value}"}
	s := connect(t, newTestPool(t, 1), Target{Addr: server.addr}, w, Load{Connections: 2, Pipeline: 1})
	r := runFor(t, 4, s, Window{Measure: 60 * time.Millisecond})
	if r.Errors > 0 || r.Ops[FirstTemplate] == 0 || r.Names[FirstTemplate] != "GET.1" {
		t.Fatalf("%v of %s, %d errors (%s)", r.Ops, r.Names[FirstTemplate], r.Errors, r.FirstError)
	}
	if least := time.Duration(r.Service[FirstTemplate].Min()); least < 2*delay {
		t.Errorf("an operation took %v, with two steps of %v each", least, delay)
	}
	for _, stream := range server.streams() {
		if c := strings.Count(string(stream), "GET") - strings.Count(string(stream), "SET"); c < 0 || c > 1 {
			t.Errorf("%d more GETs than SETs", c)
		}
	}
}

// TestStepsReconcileWhenStuck: an operation whose second step is never answered is in flight once; one whose first is an error has
// no second.
func TestStepsReconcileWhenStuck(t *testing.T) {
	stuck := make(chan struct{})
	server := newMapServer(t, func(n uint64, args [][]byte) ([]byte, bool) {
		if n > 6 && string(args[0]) == "SET" {
			<-stuck
		}
		return nil, false
	})
	t.Cleanup(func() { close(stuck) })
	w := stepsWorkload()
	w.Mix = []OpShare{{ReadModifyWrite, 1}}
	s := connect(t, newTestPool(t, 1), Target{Addr: server.addr}, w, Load{Connections: 3, Pipeline: 1, Drain: 10 * time.Millisecond})
	r := run(t, s, Window{Measure: 300 * time.Millisecond})
	if r.InFlight < 1 || r.InFlight > 3 || r.Sent != r.Total()+r.InFlight || r.Errors != 0 {
		t.Errorf("%d sent, %d in flight, %d done, %d errors", r.Sent, r.InFlight, r.Total(), r.Errors)
	}
	failing := newMapServer(t, func(n uint64, args [][]byte) ([]byte, bool) {
		return []byte("-ERR no\r\n"), string(args[0]) == "GET"
	})
	s = connect(t, newTestPool(t, 1), Target{Addr: failing.addr}, w, Load{Connections: 1, Pipeline: 4})
	r = runFor(t, 1, s, Window{Measure: 10 * time.Millisecond})
	failing.mu.Lock()
	defer failing.mu.Unlock()
	if r.Errors == 0 || r.Errors != r.Sent || !strings.HasPrefix(r.FirstError, "RMW: ERR no") || len(failing.data) > 0 {
		t.Errorf("%d errors (%s) of %d, %d keys were set", r.Errors, r.FirstError, r.Sent, len(failing.data))
	}
}

// TestStepsInProcess: likewise without a socket.
func TestStepsInProcess(t *testing.T) {
	w := stepsWorkload()
	s := connect(t, newTestPool(t, 1), Target{InProcess: newExecutors(t).open}, w, Load{Connections: 2, Pipeline: 4})
	if err := s.Preload(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := runFor(t, 20, s, Window{Measure: 20 * time.Millisecond})
	if r.Errors+r.Corrupt+r.Misses > 0 || r.Ops[ReadModifyWrite] == 0 || r.Sent != r.Total() {
		t.Errorf("%v, %d errors (%s), %d corrupt, %d misses, %d sent", r.Ops, r.Errors, r.FirstError, r.Corrupt, r.Misses, r.Sent)
	}
	hash := func(mix ...OpShare) string {
		w.Mix = mix
		h, err := StreamHash(w, Load{Connections: 1, Pipeline: 1})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	if hash(OpShare{Get, 1}) == hash(OpShare{ReadModifyWrite, 1}) {
		t.Error("reads and read-modify-writes have one stream hash")
	}
}
