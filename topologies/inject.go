package topologies

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/wire"
)

// Injection makes a server worse by a known amount, so that whoever claims to find such a thing can be put to the test.
// It is part of no topology and not for serving.
type Injection struct {
	kind    string
	share   float64       // cpu: of the CPU time per operation
	time    time.Duration // lock: how long it is held; stall: how long it lasts
	chance  float64       // stall: for each operation
	count   int           // alloc: for each operation
	command string        // in capitals; "" for every command

	mu    sync.Mutex // the lock of lock
	meter burnMeter
}

// ParseInjection reads KIND=AMOUNT, with /COMMAND behind it where only one command is made worse: cpu=5%, alloc=1, lock=10us,
// stall=20ms@0.1%, cpu=5%/ECHO.
func ParseInjection(text string) (*Injection, error) {
	what, command, _ := strings.Cut(text, "/")
	kind, amount, _ := strings.Cut(what, "=")
	in := &Injection{kind: kind, command: strings.ToUpper(command)}
	var err error
	switch kind {
	case "cpu":
		in.share, err = shareOf(amount)
		in.meter.perNS = spinsPerNS()
	case "alloc":
		if in.count, err = strconv.Atoi(amount); err == nil && (in.count < 1 || in.count > 1000) {
			err = errors.New("out of range: 1 to 1000")
		}
	case "lock":
		in.time, err = stretch(amount)
		in.meter.perNS = spinsPerNS()
	case "stall":
		length, chance, _ := strings.Cut(amount, "@")
		if in.time, err = stretch(length); err == nil {
			in.chance, err = shareOf(chance)
		}
	default:
		err = errors.New("have cpu=5%, alloc=1, lock=10us, stall=20ms@0.1%")
	}
	if err != nil {
		return nil, fmt.Errorf("inject %q: %w", text, err)
	}
	return in, nil
}

func shareOf(text string) (float64, error) {
	number, ok := strings.CutSuffix(text, "%")
	x, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(x > 0 && x <= 100) {
		return 0, fmt.Errorf("%q is not a share above 0%% and up to 100%%", text)
	}
	return x / 100, nil
}

func stretch(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err == nil && (d <= 0 || d > time.Second) {
		err = errors.New("out of range: up to 1s")
	}
	return d, err
}

// around puts the injection between a transport and a backend. What the transport asks a backend whether it is, the
// result is where the backend is.
func (in *Injection) around(b server.Backend) server.Backend {
	w := injected{b, in}
	if f, ok := b.(server.Foresight); ok {
		return foreseeing{w, f}
	}
	return w
}

type injected struct {
	server.Backend
	in *Injection
}

// foreseeing is injected, of a backend that looks ahead.
type foreseeing struct {
	injected
	f server.Foresight
}

func (b foreseeing) Foresee(loop int, batches []*wire.Batch) { b.f.Foresee(loop, batches) }

func (b injected) Bind(loops []server.Loop) {
	if l, ok := b.Backend.(server.LoopBackend); ok {
		l.Bind(loops)
	}
}

func (b injected) Tick(loop int) {
	if t, ok := b.Backend.(server.Ticker); ok {
		t.Tick(loop)
	}
}

func (b injected) NewSession(at server.Place) server.Session {
	return &injectedSession{Session: b.Backend.NewSession(at), in: b.in}
}

// injectedSession makes each request of a batch worse once, before it is executed.
type injectedSession struct {
	server.Session
	in   *Injection
	done int    // requests of the batch that have been made worse
	sink []byte // keeps what alloc allocates from being optimised away
}

func (s *injectedSession) Exec(b *wire.Batch) bool {
	if b.Next == 0 {
		s.done = 0
	}
	hit := 0
	for i := min(s.done, len(b.Reqs)); i < len(b.Reqs); i++ {
		if s.in.command == "" || len(b.Reqs[i].Args) > 0 && strings.EqualFold(string(b.Reqs[i].Args[0]), s.in.command) {
			hit++
		}
	}
	fresh := len(b.Reqs) - s.done
	s.done = len(b.Reqs)
	s.worsen(hit, fresh)
	return s.Session.Exec(b)
}

// Reword implements server.Reworder.
func (s *injectedSession) Reword(err error) error {
	if r, ok := s.Session.(server.Reworder); ok {
		return r.Reword(err)
	}
	return err
}

// worsen does it for n of all requests.
func (s *injectedSession) worsen(n, all int) {
	in := s.in
	switch in.kind {
	case "cpu":
		in.meter.operations(all, n, in.share)
	case "alloc":
		for range n * in.count {
			s.sink = make([]byte, 64)
		}
	case "lock":
		for range n {
			in.mu.Lock()
			spin(int64(float64(in.time.Nanoseconds()) * in.meter.perNS))
			in.mu.Unlock()
		}
	case "stall":
		for range n {
			if rand.Float64() < in.chance {
				time.Sleep(in.time) // the thread's other connections wait as well: it is the server that stands still
			}
		}
	}
}

// burnMeter spends a share of the CPU time that an operation takes without it. It goes by the process's CPU clock every
// few thousand operations, because what an operation takes depends on the load.
type burnMeter struct {
	perNS float64      // turns of spin in a nanosecond
	perOp atomic.Int64 // turns to spend on an operation
	ops   atomic.Int64 // since the last look
	spent atomic.Int64 // turns, since the last look

	mu   sync.Mutex // of what follows; who does not get it leaves the look to who did
	last int64      // CPU time at the last look, ns
	own  float64    // CPU time of an operation without what is spent, ns, smoothed
}

// lookEvery is how many operations pass between two looks at the clock.
const lookEvery = 4096

func (m *burnMeter) operations(all, hit int, share float64) {
	if turns := m.perOp.Load() * int64(hit); turns > 0 {
		spin(turns)
		m.spent.Add(turns)
	}
	if m.ops.Add(int64(all)) < lookEvery || !m.mu.TryLock() {
		return
	}
	defer m.mu.Unlock()
	ops, spent := m.ops.Swap(0), m.spent.Swap(0)
	if ops == 0 {
		return
	}
	now := processCPU()
	took := float64(now-m.last) - float64(spent)/m.perNS
	first := m.last == 0
	m.last = now
	if first || took <= 0 {
		return
	}
	each := took / float64(ops)
	if m.own == 0 {
		m.own = each
	}
	m.own += (each - m.own) / 8
	m.perOp.Store(int64(m.own * share * m.perNS))
}

func processCPU() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return ts.Nano()
}

var spun atomic.Int64

// spin takes a time in proportion to turns and touches no memory.
func spin(turns int64) {
	x := uint64(turns) | 1
	for range turns {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	if x == 0 { // never: a xorshift has no way to zero
		spun.Add(1)
	}
}

// spinsPerNS is how many turns a nanosecond has: the best of several tries, the others having been disturbed.
func spinsPerNS() float64 {
	const turns = 200_000
	best := 0.0
	for range 10 {
		start := time.Now()
		spin(turns)
		best = max(best, turns/float64(time.Since(start).Nanoseconds()))
	}
	return best
}
