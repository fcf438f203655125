package runner

import "time"

// Observer is told how a run goes, between slices and never in one. Its methods are called from Run's goroutine.
type Observer interface {
	// Note is a line that the reader should see once.
	Note(text string)
	// Progress is called after each slice and at each change of phase.
	Progress(p Progress)
}

// The phases of a block.
const (
	Climbing   = "measuring the ceiling" // before the first
	Starting   = "starting"
	Preloading = "preloading"
	Warming    = "warming up"
	Measuring  = "measuring"
)

// Progress is where a run stands.
type Progress struct {
	Phase         string
	Done, Slices  int // slices of the whole run
	Block, Blocks int // the block in progress, from 1; of all points together where each has a number of its own
	Point         string
	Arms          []ArmProgress // of the point in progress, in the order of the scenario
	BlockDone     bool          // the block's last slice has just ended
}

// ArmProgress is an arm in the block in progress; zero where it has no slice yet.
type ArmProgress struct {
	Name      string
	OpsPerSec float64       // mean over the slices
	P99       time.Duration // of all slices together; 0 with too few samples
	Slices    int
}
