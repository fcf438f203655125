package runner

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/shardlab/shardlab/scenarios"
)

// split is which processors each side has.
type split struct {
	server, client []int
	shared         bool   // one processor for both: what is measured is their sum
	how            string // one line for the reader
}

// all is the processors of both sides; one that both have may come twice.
func (s split) all() []int { return slices.Concat(s.server, s.client) }

// splitCPUs divides the processors that this process may use: as the scenario says, or by halves. Threads of one core
// stay on one side, because a busy sibling slows its neighbour.
func splitCPUs(plan scenarios.CPUs) (split, error) {
	avail, err := availableCPUs()
	if err != nil {
		return split{}, err
	}
	if plan.Server != "" {
		return fixedSplit(plan, avail)
	}
	return autoSplit(avail, siblings), nil
}

func autoSplit(avail []int, siblings func(cpu int) string) split {
	if len(avail) == 1 {
		return split{server: avail, client: avail, shared: true,
			how: fmt.Sprintf("one processor, cpu %d, for server and client together: every row is marked", avail[0])}
	}
	var cores [][]int
	byCore := map[string]int{}
	for _, cpu := range avail {
		key := siblings(cpu)
		i, ok := byCore[key]
		if !ok {
			i = len(cores)
			byCore[key] = i
			cores = append(cores, nil)
		}
		cores[i] = append(cores[i], cpu)
	}
	if len(cores) == 1 { // one core with several threads: better apart on siblings than together
		cores = nil
		for _, cpu := range avail {
			cores = append(cores, []int{cpu})
		}
	}
	var s split
	for i, core := range cores {
		if i < len(cores)/2 {
			s.server = append(s.server, core...)
		} else {
			s.client = append(s.client, core...)
		}
	}
	s.how = fmt.Sprintf("server on cpu %s, client on cpu %s", scenarios.FormatCPUs(s.server), scenarios.FormatCPUs(s.client))
	return s
}

func fixedSplit(plan scenarios.CPUs, avail []int) (split, error) {
	have := map[int]bool{}
	for _, c := range avail {
		have[c] = true
	}
	side := func(name, list string) ([]int, error) {
		cpus, err := scenarios.ParseCPUs(list)
		if err != nil {
			return nil, fmt.Errorf("run.cpus.%s: %w", name, err)
		}
		for _, c := range cpus {
			if !have[c] {
				return nil, fmt.Errorf("run.cpus.%s: cpu %d is not available here; have %s", name, c, scenarios.FormatCPUs(avail))
			}
		}
		return cpus, nil
	}
	server, err := side("server", plan.Server)
	if err != nil {
		return split{}, err
	}
	client, err := side("client", plan.Client)
	if err != nil {
		return split{}, err
	}
	s := split{server: server, client: client}
	for _, c := range client {
		for _, d := range server {
			s.shared = s.shared || c == d
		}
	}
	s.how = fmt.Sprintf("server on cpu %s, client on cpu %s", plan.Server, plan.Client)
	return s, nil
}

func availableCPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, os.NewSyscallError("sched_getaffinity", err)
	}
	var cpus []int
	for i := 0; len(cpus) < set.Count(); i++ {
		if set.IsSet(i) {
			cpus = append(cpus, i)
		}
	}
	return cpus, nil
}

// siblings names the core that a processor belongs to.
func siblings(cpu int) string {
	b, err := os.ReadFile(fmt.Sprintf("/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu))
	if err != nil {
		return strconv.Itoa(cpu)
	}
	return strings.TrimSpace(string(b))
}
