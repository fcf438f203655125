// Package runner executes a scenario: it is the one place that knows scenarios, topologies, the load generator and
// results at once.
//
// A run is made of blocks. For each block and point every arm is started as a fresh process on the server's processors,
// preloaded, verified and warmed; then the arms are visited in turn, in short slices of random balanced order, from the
// client's processors, while the others idle; then all are stopped. Whatever happens (an error, a signal, our own death),
// no child is left behind, and every finished slice is already on disk.
package runner
