package topologies

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// Keys that nobody asks for again disappear when their time has come, also while the owners are busy with other keys.
func TestExpiredKeysDisappearByThemselves(t *testing.T) {
	for _, v := range routedVariants() {
		if v.boundary != "" {
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			c := dial(t, v.open(t).Addr().String())
			var sets [][]string
			for i := range 2000 {
				sets = append(sets, []string{"SET", fmt.Sprintf("brief:%d", i), "v", "PX", "30"})
			}
			c.do(append(sets, []string{"SET", "lasting", "v"})...)
			for deadline := time.Now().Add(30 * time.Second); ; runtime.Gosched() {
				got := c.do([]string{"GET", "lasting"}, []string{"DBSIZE"})
				if got[1] == ":1\r\n" {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("there still are %q keys", got[1])
				}
			}
		})
	}
}

func TestUpkeepGoesAround(t *testing.T) {
	var u upkeep
	seen, left := make([]int, 5), []int{0, 3, 0, 1, 0}
	u.run(len(seen), func(shard int, now int64, work int) bool {
		seen[shard]++
		left[shard]--
		return left[shard] >= 0
	})
	mustEqual(t, []string{fmt.Sprint(seen)}, []string{"[1 4 1 2 1]"})
	// One that always wants more takes the time of one run; the next run begins behind it.
	u = upkeep{}
	order := ""
	endless := func(shard int, _ int64, _ int) bool {
		if last := fmt.Sprint(shard); order == "" || order[len(order)-1:] != last {
			order += last
		}
		return true
	}
	for range 4 {
		u.run(3, endless)
	}
	mustEqual(t, []string{order}, []string{"0120"})
	u.run(0, endless) // a worker without shards
}
