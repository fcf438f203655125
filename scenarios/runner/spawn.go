package runner

import (
	"fmt"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// spawner starts child processes from one thread that lives as long as it does. The thread matters twice: a child inherits its
// processors, and the kernel kills a child (Pdeathsig) when the thread that started it ends, which is how children
// never outlive us, even when we are killed.
type spawner struct {
	jobs chan func()
	done sync.WaitGroup
}

func newSpawner() *spawner {
	s := &spawner{jobs: make(chan func())}
	s.done.Go(func() {
		runtime.LockOSThread() // never unlocked: the thread ends here, after the last child
		for job := range s.jobs {
			job()
		}
	})
	return s
}

// start starts cmd on the given processors, in a process group of its own so that a Ctrl-C in the terminal reaches only us.
func (s *spawner) start(cmd *exec.Cmd, cpus []int) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	result := make(chan error)
	s.jobs <- func() {
		var set unix.CPUSet
		for _, c := range cpus {
			set.Set(c)
		}
		if err := unix.SchedSetaffinity(0, &set); err != nil {
			result <- fmt.Errorf("run on cpus %v: %w", cpus, err)
			return
		}
		result <- cmd.Start()
	}
	return <-result
}

// close ends the thread. Every child must have ended.
func (s *spawner) close() {
	close(s.jobs)
	s.done.Wait()
}
