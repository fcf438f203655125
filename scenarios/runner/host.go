package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/topologies"
)

// hostOrder is what a host is asked to do, and hostReport what it has to say. They are lines of JSON on the host's standard input, which
// is a socket; an order that asks for intervals gets one report for each before the last.
type hostOrder struct {
	Connect *hostLoad   `json:"connect,omitempty"`
	Preload bool        `json:"preload,omitempty"`
	Run     *hostWindow `json:"run,omitempty"`
}

type hostLoad struct {
	Seed    uint64          `json:"seed"`
	Point   scenarios.Point `json:"point"`
	Weights []float64       `json:"weights,omitempty"` // of the workload; this and the next the point's JSON leaves out
	Times   []int64         `json:"times,omitempty"`   // of the arrivals
	CPUs    []int           `json:"cpus"`              // a thread of clients on each
	Alone   bool            `json:"alone,omitempty"`   // clients that are answered at once, by nobody
}

type hostWindow struct {
	Lead    time.Duration `json:"lead_ns"`
	Measure time.Duration `json:"measure_ns"`
	Every   time.Duration `json:"every_ns,omitempty"`
	At      int64         `json:"at,omitempty"`
}

type hostReport struct {
	Error    string    `json:"error,omitempty"`
	Sockets  int       `json:"sockets,omitempty"`
	Keys     int       `json:"keys,omitempty"`     // that a preload has left
	Interval *hostPart `json:"interval,omitempty"` // more reports follow
	Result   *hostPart `json:"result,omitempty"`
}

// hostPart is a result without its histograms, and those in HdrHistogram's compressed form.
type hostPart struct {
	Result   loadgen.Result         `json:"result"`
	Tail     bool                   `json:"tail,omitempty"`
	Response [loadgen.NumOps][]byte `json:"response"`
	Service  [loadgen.NumOps][]byte `json:"service"`
	Lateness []byte                 `json:"lateness,omitempty"`
}

func newHostLoad(seed uint64, p scenarios.Point, cpus []int) *hostLoad {
	return &hostLoad{Seed: seed, Point: p, Weights: p.Workload.Weights, Times: p.Load.ArrivalTimes, CPUs: cpus}
}

// point is the whole of it.
func (l *hostLoad) point() scenarios.Point {
	p := l.Point
	p.Workload.Weights, p.Load.ArrivalTimes = l.Weights, l.Times
	return p
}

func packResult(r *loadgen.Result, tail bool) (*hostPart, error) {
	p := &hostPart{Result: *r, Tail: tail}
	var err error
	pack := func(h *hdrhistogram.Histogram) (encoded []byte) {
		if h != nil && err == nil {
			encoded, err = h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		}
		return encoded
	}
	for op := range r.Service {
		p.Response[op], p.Service[op] = pack(r.Response[op]), pack(r.Service[op])
	}
	p.Lateness = pack(r.Lateness)
	p.Result.Response, p.Result.Service, p.Result.Lateness = [loadgen.NumOps]*hdrhistogram.Histogram{}, [loadgen.NumOps]*hdrhistogram.Histogram{}, nil
	return p, err
}

func (p *hostPart) unpack() (*loadgen.Result, error) {
	r := &p.Result
	var err error
	unpack := func(encoded []byte) (h *hdrhistogram.Histogram) {
		if len(encoded) > 0 && err == nil {
			h, err = hdrhistogram.Decode(encoded)
		}
		return h
	}
	for op := range r.Service {
		r.Response[op], r.Service[op] = unpack(p.Response[op]), unpack(p.Service[op])
	}
	r.Lateness = unpack(p.Lateness)
	return r, err
}

// host is the clients of an instance in its own process.
type host struct {
	in      *topologies.Instance
	send    *json.Encoder
	pool    *loadgen.Pool
	session *loadgen.Session
}

// Host runs clients of in, in this process, as it is told over conn, until that is closed or ctx is done; a window that is running
// ends then.
func Host(ctx context.Context, in *topologies.Instance, conn net.Conn) error {
	ctx, cancel := context.WithCancel(ctx)
	orders := make(chan hostOrder)
	var reader sync.WaitGroup
	reader.Go(func() {
		defer cancel() // whoever has started us is gone, or we are to end
		for d := json.NewDecoder(conn); ; {
			var o hostOrder
			if d.Decode(&o) != nil {
				return
			}
			select {
			case orders <- o:
			case <-ctx.Done():
				return
			}
		}
	})
	defer reader.Wait()
	defer conn.Close()
	h := &host{in: in, send: json.NewEncoder(conn)}
	defer h.close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case o := <-orders:
			r, err := h.obey(ctx, &o)
			if err != nil {
				r = hostReport{Error: err.Error()}
			}
			if h.send.Encode(r) != nil {
				return nil
			}
		}
	}
}

// HostConn is what a host gets its orders from: its standard input.
func HostConn() (net.Conn, error) {
	conn, err := net.FileConn(os.Stdin)
	if err != nil {
		return nil, fmt.Errorf("standard input is not the socket of a run that starts hosts: %w", err)
	}
	return conn, nil
}

func (h *host) close() {
	if h.session != nil {
		h.session.Close()
	}
	if h.pool != nil {
		h.pool.Close()
	}
}

func (h *host) obey(ctx context.Context, o *hostOrder) (hostReport, error) {
	switch {
	case o.Connect != nil:
		return h.connect(ctx, o.Connect)
	case h.session == nil:
		return hostReport{}, errors.New("connect comes first")
	case o.Preload:
		err := h.session.Preload(ctx)
		return hostReport{Keys: h.session.Preloaded()}, err
	case o.Run != nil:
		return h.run(ctx, o.Run)
	}
	return hostReport{}, errors.New("an order without content")
}

// connect opens the clients anew.
func (h *host) connect(ctx context.Context, l *hostLoad) (hostReport, error) {
	if h.pool == nil {
		// The threads of clients come on top of those that the topology has.
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + len(l.CPUs))
		var err error
		if h.pool, err = loadgen.NewPool(l.CPUs); err != nil {
			return hostReport{}, err
		}
	}
	if h.session != nil {
		h.session.Close()
	}
	p := point{Point: l.point(), load: inside(l.point().Load)}
	var err error
	if p.workload, err = workload(l.Seed, p.Workload); err == nil {
		err = p.trace()
	}
	if err != nil {
		return hostReport{}, err
	}
	target := loadgen.Target{
		InProcess: func() loadgen.Executor { return h.in.NewCaller() }, Responder: h.in.Responder(),
	}
	if l.Alone {
		target = loadgen.Target{InProcess: loadgen.Null(p.workload), Responder: true}
	}
	if h.session, err = h.pool.Connect(ctx, target, p.workload, p.load); err != nil {
		return hostReport{}, err
	}
	return hostReport{Sockets: h.session.Sockets()}, nil
}

func (h *host) run(ctx context.Context, w *hostWindow) (hostReport, error) {
	window := loadgen.Window{Lead: w.Lead, Measure: w.Measure, At: w.At, Every: w.Every, ServerCPU: cpuClock(os.Getpid())}
	var failed error
	if w.Every > 0 {
		window.Observe = func(v loadgen.Interval) {
			p, err := packResult(v.Result, v.Tail)
			failed = errors.Join(failed, err, h.send.Encode(hostReport{Interval: p}))
		}
	}
	res, err := h.session.Run(ctx, window)
	if err = errors.Join(err, failed); err != nil {
		return hostReport{}, err
	}
	p, err := packResult(res, false)
	return hostReport{Result: p}, err
}

// inside is the part of a load that goes without sockets.
func inside(l scenarios.LoadPlan) loadgen.Load {
	ll := load(l)
	ll.Clients = l.InsideConnections()
	ll.First = l.Connections - ll.Clients
	return ll
}
