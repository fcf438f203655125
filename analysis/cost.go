package analysis

import "github.com/shardlab/shardlab/results"

// Cost is what an operation takes of the server's processors, in ns, by where it is spent. User has none of the collector's.
type Cost struct {
	User      float64 `json:"user"`
	Collector float64 `json:"collector"`
	System    float64 `json:"system"`
}

// minTicks is the fewest clock ticks that a share of CPU time is read from: of a hundred, a share of a half is known to a
// twentieth.
const minTicks = 100

// Costs splits the server's CPU time per operation, which the process's own clock gives to the nanosecond, by the kernel's
// tick-sampled shares over all visits of usable blocks. An arm of which too few ticks are known is not in the result: longer
// slices or more of them would do.
func Costs(r *Report, lines []results.Slice, trials []results.Trial) map[PointArm]Cost {
	const tick = 10e6 // ns of /proc/PID/stat
	data := gather(lines, trials)
	out := map[PointArm]Cost{}
	for _, p := range r.Points {
		for _, row := range p.Rows {
			e := row.Cells[ServerCPU].Estimate
			key := PointArm{p.Point.Label, row.Arm}
			var user, system, collector float64
			for _, b := range usableBlocks(data[key]) {
				for _, s := range b.valid {
					user += float64(s.ServerUser)
					system += float64(s.ServerSys)
					collector += float64(s.GCCPU)
				}
			}
			total := user + system
			if e == nil || total < minTicks*tick {
				continue
			}
			collector = min(collector, user)
			out[key] = Cost{User: e.Value * (user - collector) / total, Collector: e.Value * collector / total,
				System: e.Value * system / total}
		}
	}
	return out
}
