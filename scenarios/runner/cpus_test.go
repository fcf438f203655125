package runner

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shardlab/shardlab/scenarios"
)

func TestAutoSplit(t *testing.T) {
	apart := func(cpu int) string { return fmt.Sprint(cpu) }
	pairs := func(cpu int) string { return fmt.Sprint(cpu % 4) } // threads n and n+4 are one core
	one := func(int) string { return "0" }
	check := func(avail []int, core func(int) string, server, client string, shared bool) {
		t.Helper()
		s := autoSplit(avail, core)
		if got := scenarios.FormatCPUs(s.server) + "|" + scenarios.FormatCPUs(s.client); got != server+"|"+client || s.shared != shared {
			t.Errorf("%v: got %s shared %v; want %s|%s shared %v", avail, got, s.shared, server, client, shared)
		}
		if s.how == "" {
			t.Errorf("%v: does not say how", avail)
		}
	}
	check([]int{3}, apart, "3", "3", true)
	check([]int{0, 1}, apart, "0", "1", false)
	check([]int{0, 1, 2}, apart, "0", "1-2", false)
	check([]int{0, 1, 2, 3, 8}, apart, "0-1", "2-3,8", false)
	check([]int{0, 4}, one, "0", "4", false)
	s := autoSplit([]int{0, 1, 2, 3, 4, 5, 6, 7}, pairs)
	for _, server := range s.server {
		for _, client := range s.client {
			if pairs(server) == pairs(client) {
				t.Errorf("cpus %d and %d are one core, on both sides", server, client)
			}
		}
	}
}

func TestFixedSplit(t *testing.T) {
	avail := []int{0, 1, 2}
	s, err := fixedSplit(scenarios.CPUs{Server: "0-1", Client: "1-2"}, avail)
	if err != nil || !s.shared {
		t.Errorf("overlapping lists: %+v, %v", s, err)
	}
	_, err = fixedSplit(scenarios.CPUs{Server: "0", Client: "7"}, avail)
	if err == nil || !strings.Contains(err.Error(), "run.cpus.client: cpu 7 is not available here; have 0-2") {
		t.Errorf("a processor that is not there: %v", err)
	}
}
