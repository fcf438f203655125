package server

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Confine restricts the whole process to the given processors: every thread there is; later ones inherit it.
func Confine(cpus []int) error {
	var set unix.CPUSet
	for _, c := range cpus {
		set.Set(c)
	}
	// A thread may be born of one not yet confined while we walk: walk until a walk finds nothing new.
	done := map[int]bool{}
	for {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		fresh := false
		for _, t := range tasks {
			tid, err := strconv.Atoi(t.Name())
			if err != nil || done[tid] {
				continue
			}
			done[tid], fresh = true, true
			switch err := unix.SchedSetaffinity(tid, &set); err {
			case nil, unix.ESRCH: // the thread has ended
			case unix.EINVAL:
				return fmt.Errorf("confine to cpus %v: this process may use none of them", cpus)
			default:
				return fmt.Errorf("confine to cpus %v: %w", cpus, err)
			}
		}
		if !fresh {
			return checkConfined(set)
		}
	}
}

// checkConfined refuses processors that are not there: the kernel takes what it can of a set and says nothing.
func checkConfined(want unix.CPUSet) error {
	var have unix.CPUSet
	if err := unix.SchedGetaffinity(0, &have); err != nil {
		return os.NewSyscallError("sched_getaffinity", err)
	}
	for c := range len(want) * 64 {
		if want.IsSet(c) && !have.IsSet(c) {
			return fmt.Errorf("cpu %d is not available to this process", c)
		}
	}
	return nil
}

// PinThread keeps the calling thread, which the caller has locked, on one processor.
func PinThread(cpu int) error {
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin to cpu %d: %w", cpu, err)
	}
	return nil
}

// Allowed lists the processors that the calling thread may use.
func Allowed() (cpus []int, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, os.NewSyscallError("sched_getaffinity", err)
	}
	for c := range len(set) * 64 {
		if set.IsSet(c) {
			cpus = append(cpus, c)
		}
	}
	return cpus, nil
}
