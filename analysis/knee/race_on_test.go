//go:build race

package knee

// raceDetector is on: simulations run 16 times slower and have no second goroutine for it to see.
const raceDetector = true
