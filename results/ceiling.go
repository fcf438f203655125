package results

// Ceiling is what the load of a point comes to without a server that does anything, measured once at the start of a run: the
// share of it that an arm reaches says whether the arm or the client is what was measured. With an arm that is a responder Null is
// left out, for that arm is it.
type Ceiling struct {
	// Generator is the clients alone: operations are chosen, written, answered, judged and recorded, and never leave their thread.
	Generator *Rung `json:"generator,omitempty"`
	// Null is the same clients, through what the load goes through, against the responder null in a fresh process on the
	// server's processors.
	Null *Rung `json:"null,omitempty"`
}

// Rung is one of the two: medians of a few short slices, and between which values they lie.
type Rung struct {
	OpsPerSec  float64 `json:"ops_per_s"`
	Lowest     float64 `json:"lowest_ops_per_s"`
	Highest    float64 `json:"highest_ops_per_s"`
	Slices     int     `json:"slices"`
	ClientBusy float64 `json:"cli_busy"`          // of the busiest load thread, 0 to 1
	ClientCPU  float64 `json:"cli_cpu_ns_per_op"` // of all load threads
	P50        int64   `json:"p50_ns"`            // response time
}
