//go:build race

package store

// raceDetector is on: sync.Pool forgets at random, and what uses one goroutine has nothing for it to see.
const raceDetector = true
