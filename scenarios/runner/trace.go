package runner

import (
	"fmt"
	"sync"

	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/scenarios"
)

// traces are those that this process has read: points and arms share one, which may take gigabytes.
var traces struct {
	sync.Mutex
	read map[tracedFile]*loadgen.Trace
}

// tracedFile is a file, and whether its times are wanted.
type tracedFile struct {
	path  string
	times bool
}

func openTrace(path string, times bool) (*loadgen.Trace, error) {
	traces.Lock()
	defer traces.Unlock()
	f := tracedFile{path, times}
	if t := traces.read[f]; t != nil {
		return t, nil
	}
	t, err := loadgen.OpenTrace(path, times)
	if err == nil {
		if traces.read == nil {
			traces.read = map[tracedFile]*loadgen.Trace{}
		}
		traces.read[f] = t
	}
	return t, err
}

// trace makes the point one of its trace, if it has one.
func (p *point) trace() error {
	if p.Workload.Trace == "" {
		return nil
	}
	atTimes := p.Load.Arrival == scenarios.Traced
	t, err := openTrace(p.Workload.Trace, atTimes)
	if err != nil {
		return err
	}
	p.workload = t.Workload(p.workload)
	p.Workload.Keys, p.Workload.KeySize = t.Stats().Preload, p.workload.KeyLaw.Max
	if !atTimes {
		return nil
	}
	if t.Stats().Span == 0 {
		return fmt.Errorf("trace %s: it has no times, or but one; give a rate, or a closed loop", p.Workload.Trace)
	}
	p.load.Arrival = loadgen.Arrival{Law: loadgen.Listed, Times: t.Times(), Speed: p.Load.ArrivalSpeed}
	p.load.Rate = loadgen.RateOf(t.Times(), p.Load.ArrivalSpeed)
	p.Load.Rate = p.load.Rate
	return nil
}

// traceText says what is in the point's trace.
func (p *point) traceText() string {
	if p.workload.Trace == nil {
		return ""
	}
	return fmt.Sprintf("trace %s: %s", p.Workload.Trace, p.workload.Trace.Stats())
}

// speakable says which operations of a point a protocol does not have.
func (p *point) speakable(name string) error {
	for _, m := range p.workload.Mix {
		if !protocol(name).Speaks(m.Op) {
			return fmt.Errorf("%s has no counterpart in %s", p.workload.OpName(m.Op), name)
		}
	}
	return nil
}
