package loadgen

import (
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWorkersArePinned(t *testing.T) {
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		t.Fatal(err)
	}
	var cpus []int
	for cpu := range 8 * len(allowed) * 8 {
		if allowed.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	p, err := NewPool(cpus)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.acquire(); err != nil {
		t.Fatal(err)
	}
	sets, threads := make([]unix.CPUSet, len(cpus)), make([]int, len(cpus))
	p.do(len(cpus), func(i int) {
		threads[i] = unix.Gettid()
		unix.SchedGetaffinity(0, &sets[i])
	})
	p.release()
	seen := map[int]bool{}
	for i, cpu := range cpus {
		if sets[i].Count() != 1 || !sets[i].IsSet(cpu) {
			t.Errorf("worker %d may run on %d cpus, want cpu %d only", i, sets[i].Count(), cpu)
		}
		if seen[threads[i]] {
			t.Errorf("two workers share thread %d", threads[i])
		}
		seen[threads[i]] = true
	}
}

func TestPoolRefusesCPUs(t *testing.T) {
	for _, cpu := range []int{1023, 1 << 20} {
		if _, err := NewPool([]int{0, cpu}); err == nil || !strings.Contains(err.Error(), "pin worker 1 to cpu ") {
			t.Errorf("cpu %d: %v", cpu, err)
		}
	}
}

func TestPoolCloseEndsTheWorkers(t *testing.T) {
	p, err := NewPool(nil)
	if err != nil || p.Workers() != 1 {
		t.Fatalf("%d workers, %v", p.Workers(), err)
	}
	var ran atomic.Bool
	if err := p.acquire(); err != nil {
		t.Fatal(err)
	}
	p.do(1, func(int) { ran.Store(true) })
	p.release()
	p.Close()
	p.Close() // once more does no harm
	if err := p.acquire(); err != errPoolClosed || !ran.Load() {
		t.Errorf("acquire after Close: %v", err)
	}
}
