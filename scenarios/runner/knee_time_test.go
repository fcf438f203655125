package runner

import (
	"strings"
	"testing"
	"time"

	"github.com/shardlab/shardlab/analysis/knee"
	"github.com/shardlab/shardlab/scenarios"
)

func TestHowLongSearchesTake(t *testing.T) {
	sc, err := scenarios.Parse("x.yaml", []byte("name: x\nslo: p99 < 1ms\nload: {mode: open, rate: 10k}\narms: [shared, multi-direct]\n"+
		"run: {blocks: 6, warmup: 300ms, lead_in: 50ms}\n"), scenarios.Names{})
	if err != nil {
		t.Fatal(err)
	}
	k := &kneeRun{opts: KneeOptions{Scenario: sc, Probe: 250 * time.Millisecond, ProbeMax: 4 * time.Second, SearchMax: 45 * time.Second}}
	k.bound = knee.Bound{Quantile: 0.99, Limit: 1e6}
	if got := k.howLong(sc); !strings.HasPrefix(got, "12 searches: about 1m52s under load, at most 10m") {
		t.Error(got)
	}
	k.opts.SearchMax = time.Second
	if usual, most := k.expected(sc); usual != 12*1300*time.Millisecond || most < usual {
		t.Errorf("%v, %v", usual, most)
	}
}

func TestClockOfASearch(t *testing.T) {
	c := kneeClock{guess: time.Minute, togo: 3}
	if got := c.left(); got != 3*time.Minute {
		t.Errorf("%v before the first", got)
	}
	c.began = time.Now().Add(-time.Hour)
	if got := c.left(); got != 2*time.Minute {
		t.Errorf("%v in a long first", got)
	}
	c.end()
	if got := c.left(); got < 2*time.Hour || got > 2*time.Hour+time.Minute {
		t.Errorf("%v after the first", got)
	}
}
