package loadgen

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// Pool is the OS threads that load comes from. Its methods may be called from any goroutine; the sessions of a pool
// take turns, but for those that [Pool.RunTogether] is told to run at once.
type Pool struct {
	workers []chan task
	threads []int // the kernel's number of each worker's thread

	mu     sync.Mutex // held while the workers are busy
	closed bool
	exited sync.WaitGroup
}

// task is something for one worker to do. done is told when it has.
type task struct {
	run  func()
	done *sync.WaitGroup
}

var errPoolClosed = errors.New("the load pool is closed")

// NewPool starts one worker for each CPU number and pins it there; without any it starts one that runs wherever the
// kernel likes. A CPU may be named twice. GOMAXPROCS is raised, if need be, to one more than the workers: a worker
// that had to wait for another goroutine's turn would measure the Go scheduler.
func NewPool(cpus []int) (*Pool, error) {
	if len(cpus) == 0 {
		cpus = []int{-1}
	}
	if need := len(cpus) + 1; runtime.GOMAXPROCS(0) < need {
		runtime.GOMAXPROCS(need)
	}
	p := &Pool{threads: make([]int, len(cpus))}
	pinned := make(chan error, len(cpus))
	for i, cpu := range cpus {
		tasks := make(chan task)
		p.workers = append(p.workers, tasks)
		p.exited.Go(func() { work(tasks, i, cpu, &p.threads[i], pinned) })
	}
	var err error
	for range cpus {
		if e := <-pinned; e != nil {
			err = e
		}
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// work is one worker's life. The thread ends with it: it is never unlocked, so that no other goroutine inherits its
// CPU or its timer slack.
func work(tasks <-chan task, index, cpu int, thread *int, pinned chan<- error) {
	runtime.LockOSThread()
	*thread = unix.Gettid()
	pinned <- prepareThread(index, cpu)
	for t := range tasks {
		t.run()
		t.done.Done()
	}
}

func prepareThread(index, cpu int) error {
	// By default the kernel lets a timer be 50 µs late, to wake up less often.
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("worker %d: prctl timerslack: %w", index, err)
	}
	if cpu < 0 {
		return nil
	}
	var set unix.CPUSet
	set.Set(cpu)
	if set.Count() == 0 {
		return fmt.Errorf("pin worker %d to cpu %d: no such cpu", index, cpu)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin worker %d to cpu %d: %w; is it among the cpus this process may use?", index, cpu, err)
	}
	return nil
}

// Workers returns how many there are.
func (p *Pool) Workers() int { return len(p.workers) }

// Threads returns the kernel's numbers of the workers' threads, for those who look into /proc.
func (p *Pool) Threads() []int { return slices.Clone(p.threads) }

// acquire waits until the workers are free, and keeps them until release.
func (p *Pool) acquire() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return errPoolClosed
	}
	return nil
}

func (p *Pool) release() { p.mu.Unlock() }

// do runs f(0) to f(n-1), each on its worker, and returns when all have. The caller has acquired the pool.
func (p *Pool) do(n int, f func(worker int)) {
	var done sync.WaitGroup
	done.Add(n)
	for i := range n {
		p.workers[i] <- task{func() { f(i) }, &done}
	}
	done.Wait()
}

// Close ends the workers and waits for them; a running window is waited for, too. Sessions must still be closed.
func (p *Pool) Close() error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		for _, w := range p.workers {
			close(w)
		}
	}
	p.mu.Unlock()
	p.exited.Wait()
	return nil
}
