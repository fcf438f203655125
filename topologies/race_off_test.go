//go:build !race

package topologies

const raceDetector = false
