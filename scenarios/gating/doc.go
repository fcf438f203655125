// Package gating runs a gate: it builds the code to be compared, visits the builds with package runner until package
// analysis/gate has a verdict, and writes that into the run directory.
//
// Base is built from a git worktree in a temporary directory, head from the working tree as it is. Each is built once
// for each layout of the code, and every block takes the next layout for both. All builds run under names of one
// length, which are dealt anew for every block. Nothing is left behind but the run directory.
package gating
