//go:build race

package topologies

// raceDetector is on: it keeps memory of its own for all that is used.
const raceDetector = true
