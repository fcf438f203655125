package scenarios

import (
	"os"
	"reflect"
	"slices"
)

// setTrace takes the name of a trace. What is in it is read by who replays it.
func setTrace(d *draft, v value) (string, error) {
	path, err := v.word()
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", v.errorf("%w", bare(path, err))
	case !info.Mode().IsRegular():
		return "", v.errorf("%s is not a file", quote(path))
	}
	d.point.Workload.Trace = path
	return path, nil
}

// besideTrace are the keys of a workload that have a meaning beside trace.
var besideTrace = []string{"trace", "value_size", "value_random", "expected_misses"}

// keepTrace drops what a trace says itself, where it is a default; written it is at fault.
func (w *Workload) keepTrace(written func(key string) bool) *fault {
	if w.Trace == "" {
		return nil
	}
	for _, k := range keysOf(workload) {
		if written(k.name) && !slices.Contains(besideTrace, k.name) {
			return faultf(k.name, "has no meaning with trace, which says it")
		}
	}
	*w = Workload{
		Trace: w.Trace, ValueSize: w.ValueSize, ValueLaw: w.ValueLaw, ValueRandom: w.ValueRandom, ExpectedMisses: w.ExpectedMisses,
	}
	return nil
}

// checkTraced checks a workload that is a trace.
func (w *Workload) checkTraced() *fault {
	rest := *w
	rest.Trace, rest.ValueSize, rest.ValueLaw, rest.ValueRandom, rest.ExpectedMisses = "", 0, nil, 0, nil
	if !reflect.DeepEqual(rest, Workload{}) {
		return faultf("trace", "%s has keys and operations of its own; leave out what else says them", quote(w.Trace))
	}
	return first(oneLine("trace", w.Trace), within("value_size", w.ValueSize), w.ValueLaw.check("value_size"))
}

func (p *Point) checkTrace() *fault {
	if p.Load.Arrival == Traced && p.Workload.Trace == "" {
		return faultf("arrival", "trace needs a workload.trace, whose times it takes")
	}
	return nil
}
